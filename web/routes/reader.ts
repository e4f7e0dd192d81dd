import type { Context } from "hono";
import type { Identity } from "../auth/sessions.ts";
import type { AppServices } from "../services.ts";

/**
 * Counts one reading.
 * @returns who reads; undefined for someone unknown, who stays unknown
 * @throws {ChatError} `rate_limited`, and `forbidden` if people need an external token
 */
export async function countRead(
  { identities, chat, proxies }: AppServices,
  { req, env }: Context<{ Bindings: Deno.ServeHandlerInfo }>,
): Promise<Identity | undefined> {
  const identity = await identities.identifyReader(req.raw);
  chat.services.rateLimiter.admit(identity?.user, proxies.addressKey(req.raw, env.remoteAddr), "reads");
  return identity;
}
