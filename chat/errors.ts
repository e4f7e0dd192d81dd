import type { ErrorCode, ErrorFrame } from "./protocol.ts";

/** Something was asked for that is not to be had. The message is a sentence that tells the asker what to do. */
export class ChatError extends Error {
  readonly code: ErrorCode;
  /** Seconds until asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A moderator keeps this person out. The audit log has been told by the chat itself, the same for every door. */
export class BannedError extends ChatError {
  constructor(message: string) {
    super("forbidden", message);
  }
}

/** The answer to the one who asked; `about` is their frame, of which only a usable room and id come back. */
export function errorFrame(refusal: ChatError, about: { room?: unknown; id?: unknown } = {}): ErrorFrame {
  const frame: ErrorFrame = { action: "error", code: refusal.code, message: refusal.message };
  if (typeof about.room === "string") frame.room = about.room;
  if (typeof about.id === "string") frame.id = about.id;
  if (refusal.retryAfter !== undefined) frame.retry_after = refusal.retryAfter;
  return frame;
}
