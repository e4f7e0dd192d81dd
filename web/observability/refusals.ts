import { BannedError } from "../../chat/errors.ts";
import type { AppServices } from "../services.ts";
import { refusedWith } from "../schema/problem.ts";

/** Refusals that somebody may have to look into are written down; all of them are counted. */
const WRITTEN_DOWN = [401, 403, 421];

/**
 * Counts an answer that is a refusal, and writes down who was refused where that matters and nobody has done it.
 * @param error of which the answer tells, if it is one
 * @returns the same answer, unread
 */
export async function noted(
  { chat, auditLog, proxies }: AppServices,
  request: Request,
  { remoteAddr }: Deno.ServeHandlerInfo,
  answer: Response,
  error: unknown,
): Promise<Response> {
  const code = answer.status < 400 ? undefined : await refusedWith(answer);
  if (code !== undefined) chat.services.pipeline.counters.refused(code);
  if (WRITTEN_DOWN.includes(answer.status) && !(error instanceof BannedError)) {
    const path = URL.parse(request.url)?.pathname;
    const addressKey = proxies.addressKey(request, remoteAddr);
    auditLog.refused({ why: String(code), addressKey, origin: request.headers.get("origin"), path });
  }
  return answer;
}
