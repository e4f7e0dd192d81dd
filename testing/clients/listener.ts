import type { ServerFrame } from "../../chat/protocol.ts";

/** How long an event may take to come, milliseconds: far more than it does on a busy machine. */
const TIMEOUT = 10_000;

export interface StreamEvent {
  event: string;
  id: string | undefined;
  /** A frame, or what the `close` event tells. */
  data: ServerFrame | { action: undefined; code: number; reason: string };
}

/** A client of an event stream as a script would write it, with nothing of ours in it. */
export class Listener {
  readonly response: Response;
  readonly events: StreamEvent[] = [];
  /** What came beside events: comments, and when to come back. */
  readonly asides: string[] = [];
  /** Resolves when the stream is over. */
  readonly ended: Promise<void>;
  readonly #abort: AbortController;
  #check = () => {};

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.ended = this.#read().catch(() => {/* cut off */}).finally(() => this.#check());
  }

  /** Opens one; resolves when it has been answered. */
  static async open(url: string, room: string, headers: Record<string, string> = {}, query = ""): Promise<Listener> {
    const abort = new AbortController();
    const address = `${url}/api/rooms/${room}/events${query}`;
    return new Listener(await fetch(address, { headers, signal: abort.signal }), abort);
  }

  /** The first event of an action (that fulfils a condition), now or as soon as it comes. */
  until<A extends ServerFrame["action"]>(
    action: A,
    wanted: (frame: Extract<ServerFrame, { action: A }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { action: A }>> {
    return this.#until(() => this.all(action).find(wanted), action);
  }

  /** The code with which the server ended it. */
  async closed(): Promise<number> {
    const told = () => this.events.find(({ event }) => event === "close")?.data;
    return (await this.#until(told, "close") as { code: number }).code;
  }

  /** A comment with this text. */
  async comment(text: string): Promise<void> {
    await this.#until(() => this.asides.includes(`: ${text}`) || undefined, text);
  }

  /** The frames of one action so far. */
  all<A extends ServerFrame["action"]>(action: A): Extract<ServerFrame, { action: A }>[] {
    return this.events.map(({ data }) => data).filter((data): data is Extract<ServerFrame, { action: A }> =>
      data.action === action
    );
  }

  /** Goes away without a word. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  #until<T>(find: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`no ${what} came, but ${this.events.map(({ event }) => event).slice(-9)}`));
      const timer = setTimeout(fail, TIMEOUT);
      const check = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      const before = this.#check;
      this.#check = () => {
        before();
        check();
      };
      check();
    });
  }

  async #read(): Promise<void> {
    let text = "";
    for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) this.#take(block);
      this.#check();
    }
  }

  #take(block: string): void {
    const field = (name: string) =>
      block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const [event, data] = [field("event"), field("data")];
    if (event === undefined || data === undefined) this.asides.push(block);
    else this.events.push({ event, id: field("id"), data: JSON.parse(data) });
  }
}
