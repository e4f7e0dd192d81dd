import { BannedError } from "../../chat/errors.ts";
import type { AppServices } from "../services.ts";
import { refusedWith } from "../schema/problem.ts";

/** Statuses of refusals that go to the audit log; all refusals are counted. */
const AUDITED = [401, 403, 421];

/**
 * Counts an answer that is a refusal, and adds it to the audit log if that matters and the chat has not done it.
 * @param error what the answer reports, if it reports an error
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
  if (AUDITED.includes(answer.status) && !(error instanceof BannedError)) {
    const path = URL.parse(request.url)?.pathname;
    const addressKey = proxies.addressKey(request, remoteAddr);
    auditLog.refused({ why: String(code), addressKey, origin: request.headers.get("origin"), path });
  }
  return answer;
}
