import { isMessage } from "./entries/kinds.ts";
import type { ServerFrame } from "./protocol.ts";

/** Frames on their way to any number of connections: encoded at most once for each kind of client. */
export class EncodedFrames {
  readonly frames: readonly ServerFrame[];
  #each: string[] | undefined;
  #batch: string | undefined;
  #messages: number | undefined;

  constructor(...frames: ServerFrame[]) {
    this.frames = frames;
  }

  /** How many of the frames are new messages. */
  get messages(): number {
    return this.#messages ??= this.frames.filter(isMessage).length;
  }

  /** One JSON text per frame, for plain clients. */
  get each(): readonly string[] {
    return this.#each ??= this.frames.map((frame) => JSON.stringify(frame));
  }

  /** All frames as one JSON text: an array, or the object itself if there is only one. */
  get batch(): string {
    return this.#batch ??= this.each.length === 1 ? this.each[0] : `[${this.each.join(",")}]`;
  }
}
