import type { ErrorCode } from "../chat/protocol.ts";
import { Refusal } from "../chat/refusal.ts";

/** The status that fits each code of the wire. */
const STATUS = {
  bad_json: 400,
  bad_frame: 400,
  unknown_action: 400,
  bad_room: 422,
  text_empty: 422,
  text_too_long: 422,
  bad_name: 422,
  name_taken: 409,
  not_found: 404,
  forbidden: 403,
  rate_limited: 429,
  frame_too_large: 413,
  too_many_rooms: 429,
  unavailable: 503,
} as const satisfies Record<ErrorCode, number>;

const PROBLEM = "application/problem+json";

/** An error as RFC 9457 has it, with the code of the wire in `code`. */
export function problem(refusal: Refusal, status: number = STATUS[refusal.code]): Response {
  const headers = new Headers({ "content-type": PROBLEM, "cache-control": "no-store" });
  if (refusal.retryAfter !== undefined) headers.set("retry-after", String(Math.ceil(refusal.retryAfter)));
  const body = { title: refusal.message, status, code: refusal.code, retry_after: refusal.retryAfter };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The code that an answer tells, or undefined for one that is no refusal; the answer itself stays unread. */
export async function refusedWith(answer: Response): Promise<ErrorCode | undefined> {
  if (answer.headers.get("content-type") !== PROBLEM) return undefined;
  const { code } = await answer.clone().json();
  return code;
}
