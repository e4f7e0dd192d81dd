import type { ServerFrame } from "../../chat/protocol.ts";
import { createEventReader } from "../../client/transport/event_stream.ts";
import { framesIn } from "./line.ts";
import { type Answer, type Asking, plain, problemIn, type Visitor } from "./visitor.ts";

/** Why there is no stream: something else was answered, or nothing was. */
export type NoStream = { status: number; body: string } | "silent";

/** A room as an event stream, as the page has it where sockets don't open. */
export class EventStream {
  readonly #visitor: Visitor;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #opened: number;
  readonly #frames: ServerFrame[] = [];
  readonly #checks = new Set<() => void>();
  readonly #ended: Promise<void>;
  #hungUp = false;
  /** Set once somebody else has ended it: with which code, and after how many milliseconds. */
  cut: { code: number; after: number } | undefined;

  private constructor(visitor: Visitor, body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#visitor = visitor;
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
    this.#opened = visitor.clock.monotonic();
    this.#ended = this.#read();
  }

  /** @param headers beside those that the page sends */
  static async open(visitor: Visitor, room: string, headers?: Asking["headers"]): Promise<EventStream | NoStream> {
    const abort = new AbortController();
    const cancel = visitor.clock.after(visitor.timeout, () => abort.abort());
    try {
      const response = plain(await visitor.open(`api/rooms/${room}/events`, { headers }, abort.signal));
      const { body } = response;
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (response.status !== 200 || !isStream || !body) {
        return { status: response.status, body: await response.text() };
      }
      return new EventStream(visitor, body);
    } catch {
      return "silent";
    } finally {
      cancel();
    }
  }

  /** Resolves with true as soon as such a frame has come, with false if it does not come in time or no more. */
  until(isIt: (frame: ServerFrame) => boolean): Promise<boolean> {
    const { clock, timeout } = this.#visitor;
    return new Promise((resolve) => {
      const check = (late = false) => {
        const come = this.#frames.some(isIt);
        if (!come && !late && !this.cut) return;
        cancel();
        this.#checks.delete(check);
        resolve(come);
      };
      const cancel = clock.after(timeout, () => check(true));
      this.#checks.add(check);
      check();
    });
  }

  async hangUp(): Promise<void> {
    this.#hungUp = true;
    // Not by aborting the request, which in Deno 2.9.6 does not always end the reading.
    await this.#reader.cancel().catch(() => {/* it was cut before */});
    await this.#ended;
  }

  async #read(): Promise<void> {
    const read = createEventReader();
    let code = 1006;
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (done) break;
        for (const { event, data } of read(value)) {
          if (event === "close") code = JSON.parse(data).code;
          else this.#frames.push(...framesIn(data));
        }
        for (const check of this.#checks) check();
      }
    } catch { /* it was cut, or we hung up */ }
    if (!this.#hungUp) this.cut = { code, after: this.#visitor.clock.monotonic() - this.#opened };
    for (const check of this.#checks) check();
  }
}

/** How a talk by stream and POST went, as the page has it where sockets don't open. */
export type Talk =
  /** All came, the latest so many milliseconds after its author had the answer. */
  | { late: number }
  | { unopened: NoStream }
  | { unsaid: Answer }
  /** What was said did not come by the stream in time, or not even the stream's beginning. */
  | { missing: "event" | "beginning"; cut?: EventStream["cut"] };

/** Small events that are said one after the other: the first may push out what a proxy has gathered before. */
const SAID = 2;
/**
 * Characters said before the stream is opened, so that it begins with as much as in a room where people have talked:
 * proxies leave short beginnings uncompressed, and pass them.
 */
const HISTORY = 1_000;

/** Says something, opens a stream, says more by POST, and waits for that to come while the stream is open. */
export async function talk(visitor: Visitor, room: string, headers?: Asking["headers"]): Promise<Talk> {
  const history = await say("Something to begin with. ".repeat(HISTORY / 25).slice(0, visitor.textLimit));
  if ("unsaid" in history) return history;
  const stream = await EventStream.open(visitor, room, headers);
  if (!(stream instanceof EventStream)) return { unopened: stream };
  let late = 0;
  try {
    if (!await stream.until(({ action }) => action === "room_joined")) return { missing: "beginning", cut: stream.cut };
    for (let at = 1; at <= SAID; at++) {
      const said = await say(`By stream ${at} of ${SAID}`);
      if ("unsaid" in said) return said;
      const { id } = said;
      const answered = visitor.clock.monotonic();
      const come = await stream.until((frame) => frame.action === "receive_message" && frame.id === id);
      if (!come) return { missing: "event", cut: stream.cut };
      late = Math.max(late, visitor.clock.monotonic() - answered);
    }
    return { late };
  } finally {
    await stream.hangUp();
  }

  async function say(text: string): Promise<{ id: string } | { unsaid: Answer }> {
    const id = crypto.randomUUID();
    const answer = await visitor.ask("api/actions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ action: "send_message", room, text, id }),
    });
    return answer.status === 200 && !problemIn(answer.body) ? { id } : { unsaid: answer };
  }
}
