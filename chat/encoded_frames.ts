import type { ServerFrame } from "./protocol.ts";

/** Frames on their way to any number of connections: encoded once for each kind of client, and only if there is one. */
export class EncodedFrames {
  readonly frames: readonly ServerFrame[];
  #each: string[] | undefined;
  #batch: string | undefined;
  #messages: number | undefined;

  constructor(...frames: ServerFrame[]) {
    this.frames = frames;
  }

  /** How many of the frames are messages that were just said. */
  get messages(): number {
    return this.#messages ??= this.frames.filter(({ action }) => action === "receive_message").length;
  }

  /** One JSON object a frame, for plain clients. */
  get each(): readonly string[] {
    return this.#each ??= this.frames.map((frame) => JSON.stringify(frame));
  }

  /** All in one: an array, or the object itself if it is alone. */
  get batch(): string {
    return this.#batch ??= this.each.length === 1 ? this.each[0] : `[${this.each.join(",")}]`;
  }
}

/** The far end of a session: a socket, an event stream. The chat knows no more of it than this. */
export interface Connection {
  /** Whether it takes many frames as one: then frames that can wait a moment cost less. */
  readonly batch: boolean;
  /** The name of an event stream. Its client can ask nothing on it, and asks elsewhere. */
  readonly stream?: string;
  /** Whether a page may be sent without making a slow reader of it. */
  readonly hasRoom: boolean;
  /** Never waits and never throws: a connection that can't keep up ends its session instead. */
  deliver(delivery: EncodedFrames): void;
  /** Ends the session first, then the connection. */
  close(code: number, reason: string): void;
}
