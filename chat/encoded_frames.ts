import { isMessage } from "./entries/kinds.ts";
import type { ServerFrame } from "./protocol.ts";
import { itemsOf, jsonOf } from "./shared_json.ts";

/** Frames on their way to any number of connections: encoded at most once for each kind of client. */
export class EncodedFrames {
  readonly frames: readonly ServerFrame[];
  #each: string[] | undefined;
  #batch: string | undefined;
  #messages: number | undefined;

  constructor(...frames: ServerFrame[]) {
    this.frames = frames;
  }

  /** Some of these frames, which are not encoded once more. */
  where(isWanted: (frame: ServerFrame, at: number) => boolean): EncodedFrames {
    const places = [...this.frames.keys()].filter((at) => isWanted(this.frames[at], at));
    if (places.length === this.frames.length) return this;
    const some = new EncodedFrames(...places.map((at) => this.frames[at]));
    some.#each = places.map((at) => this.each[at]);
    return some;
  }

  /** How many of the frames are new messages. */
  get messages(): number {
    return this.#messages ??= this.frames.filter(isMessage).length;
  }

  /** One JSON text per frame, for plain clients. */
  get each(): readonly string[] {
    return this.#each ??= this.frames.map(encode);
  }

  /** All frames as one JSON text: an array, or the object itself if there is only one. */
  get batch(): string {
    return this.#batch ??= this.each.length === 1 ? this.each[0] : `[${this.each.join(",")}]`;
  }
}

function encode(frame: ServerFrame): string {
  if (frame.action !== "room_joined") return JSON.stringify(frame);
  // The large lists of a page are those of everyone who joins at the same time.
  const { messages, members, ...own } = frame;
  const start = `${JSON.stringify(own).slice(0, -1)},"messages":${jsonOf(messages)},"members":[`;
  // Joined in one step: text that is put together piece by piece is copied once more when it is sent.
  const items = itemsOf(members);
  if (items.length === 0) return `${start}]}`;
  items[0] = start + items[0];
  items[items.length - 1] += "]}";
  return items.join(",");
}
