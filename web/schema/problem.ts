import type { ErrorCode } from "../../chat/protocol.ts";
import { ChatError, NameHeldError } from "../../chat/errors.ts";

/** What each code of the wire is, in a few words, and the HTTP status that fits it. */
export const PROBLEMS = {
  bad_json: { status: 400, title: "This is not JSON." },
  bad_frame: { status: 400, title: "This is not a valid frame or request." },
  unknown_action: { status: 400, title: "There is no such action." },
  bad_room: { status: 422, title: "No room can have this name." },
  text_empty: { status: 422, title: "The text is empty." },
  text_too_long: { status: 422, title: "The text is too long." },
  bad_emoji: { status: 422, title: "This is not one emoji." },
  too_many_reactions: { status: 409, title: "The message has enough different reactions." },
  bad_name: { status: 422, title: "Nobody can have this name." },
  name_taken: { status: 409, title: "Someone else has this name." },
  not_found: { status: 404, title: "There is no such thing here." },
  forbidden: { status: 403, title: "This is not allowed." },
  rate_limited: { status: 429, title: "Too many requests at once." },
  frame_too_large: { status: 413, title: "This is too large." },
  too_many_rooms: { status: 429, title: "Too many rooms for one connection." },
  bad_query: { status: 422, title: "Nothing can be searched for with this." },
  unavailable: { status: 503, title: "The server can't do this right now." },
} as const satisfies Record<ErrorCode, { status: number; title: string }>;

/** A refusal that HTTP has a better status for than its code's own. */
export class HttpRefusal extends ChatError {
  readonly status: number;

  constructor(status: number, code: ErrorCode, message: string, retryAfter?: number) {
    super(code, message, retryAfter);
    this.status = status;
  }
}

/** Nobody comes in without a token of an issuer elsewhere. */
export class SignInRefusal extends HttpRefusal {
  /** Where to get one. */
  readonly loginUrl: string | undefined;

  constructor(loginUrl: string | undefined) {
    super(401, "forbidden", "Sign in first, and come with the token that you get.");
    this.loginUrl = loginUrl;
  }
}

const PROBLEM = "application/problem+json";

/**
 * An error as RFC 9457 has it, with the code of the wire in `code`. One that is no refusal is our own fault: it is
 * written down, and its words are not passed on.
 * @param docs where `/docs` is
 */
export function problem(error: unknown, docs: string): Response {
  if (!(error instanceof ChatError)) {
    console.error("a request could not be answered:", error);
    return problem(new ChatError("unavailable", "Something failed here. Try again in a moment.", 1), docs);
  }
  const { code, message, retryAfter } = error;
  const status = error instanceof HttpRefusal ? error.status : PROBLEMS[code].status;
  const headers = new Headers({ "content-type": PROBLEM, "cache-control": "no-store" });
  if (retryAfter !== undefined) headers.set("retry-after", String(Math.ceil(retryAfter)));
  if (status === 401) headers.set("www-authenticate", "Bearer");
  if (status === 426) headers.set("upgrade", "websocket");
  const { title } = PROBLEMS[code];
  const login_url = error instanceof SignInRefusal ? error.loginUrl : undefined;
  const held_until = error instanceof NameHeldError ? error.until : undefined;
  const more = { retry_after: retryAfter, held_until, login_url };
  const body = { type: `${docs}#${code}`, title, status, detail: message, code, ...more };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The code that an answer tells, or undefined for one that is no refusal; the answer itself stays unread. */
export async function refusedWith(answer: Response): Promise<ErrorCode | undefined> {
  if (answer.headers.get("content-type") !== PROBLEM) return undefined;
  const { code } = await answer.clone().json();
  return code;
}
