import type { ErrorCode, ErrorFrame } from "./protocol.ts";

/** A refusal. Its message is a sentence that says what to do. */
export class ChatError extends Error {
  readonly code: ErrorCode;
  /** Seconds until asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.name = "ChatError";
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A moderator has banned this person. The chat itself has told the audit log, whatever the transport. */
export class BannedError extends ChatError {
  constructor(message: string) {
    super("forbidden", message);
  }
}

/** The name that somebody asked for is held for someone else, who is not here. */
export class NameHeldError extends ChatError {
  /** When it becomes free unless they come back, milliseconds since 1970. */
  readonly until: number;

  constructor(message: string, until: number) {
    super("name_taken", message);
    this.until = until;
  }
}

/**
 * The frame that answers a refused one.
 * @param about the refused frame, of which only a usable room and id come back
 */
export function errorFrame(error: ChatError, about: { room?: unknown; id?: unknown } = {}): ErrorFrame {
  const frame: ErrorFrame = { action: "error", code: error.code, message: error.message };
  if (typeof about.room === "string") frame.room = about.room;
  if (typeof about.id === "string") frame.id = about.id;
  if (error.retryAfter !== undefined) frame.retry_after = error.retryAfter;
  if (error instanceof NameHeldError) frame.held_until = error.until;
  return frame;
}
