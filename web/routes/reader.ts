import type { Context } from "hono";
import type { Identity } from "../auth/sessions.ts";
import type { AppServices } from "../services.ts";

/**
 * Counts one reading.
 * @param times how often it counts, if it costs more than a page
 * @returns who reads; undefined for someone unknown, who stays unknown
 * @throws {ChatError} `rate_limited`, and `forbidden` if people need an external token
 */
export async function countRead(
  { identities, chat, proxies }: AppServices,
  { req, env }: Context<{ Bindings: Deno.ServeHandlerInfo }>,
  times = 1,
): Promise<Identity | undefined> {
  const identity = await identities.identifyReader(req.raw);
  chat.services.rateLimiter.admit(identity?.user, proxies.addressKey(req.raw, env.remoteAddr), "reads", times);
  return identity;
}
