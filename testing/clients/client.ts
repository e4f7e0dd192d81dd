import type { ServerFrame } from "../../chat/protocol.ts";

/** How long a frame may take to come, milliseconds: far more than it does on a busy machine. */
const TIMEOUT = 10_000;

/** Deno's own WebSocket as a test wants it: frames in the order in which they came, to be waited for. */
export class TestClient {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[] = [];
  /** Resolves with the code and the reason once the socket is closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  #checks = new Set<() => void>();

  readonly #timeout: number;

  /** @param options.timeout how long a frame may take to come, milliseconds */
  constructor(
    url: string,
    options: { protocols?: string[]; headers?: Record<string, string>; query?: string; timeout?: number } = {},
  ) {
    this.#timeout = options.timeout ?? TIMEOUT;
    const address = `${url.replace(/^http/, "ws")}/connect${options.query ?? ""}`;
    this.socket = new WebSocket(address, { protocols: options.protocols, headers: options.headers });
    this.socket.onmessage = ({ data }) => {
      this.frames.push(...[JSON.parse(data)].flat());
      this.#check();
    };
    this.socket.onerror = (event) => event.preventDefault();
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason }) => {
        resolve({ code, reason });
        this.#check();
      };
    });
  }

  /** Opens one that has been welcomed and is in the rooms it asked for. */
  static async open(...options: ConstructorParameters<typeof TestClient>): Promise<TestClient> {
    const client = new TestClient(...options);
    await client.until("welcome");
    if (options[1]?.query === undefined) await client.until("room_joined");
    return client;
  }

  send(...frames: unknown[]): void {
    for (const frame of frames) this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Sends a message to the default room, or to another. */
  say(text: string, more: { id?: string; room?: string } = {}): void {
    this.send({ action: "send_message", room: "general", text, ...more });
  }

  /** The first frame of an action (that fulfils a condition), now or as soon as it comes. */
  until<A extends ServerFrame["action"]>(
    action: A,
    wanted: (frame: Extract<ServerFrame, { action: A }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { action: A }>> {
    const find = () =>
      this.frames.find((frame): frame is Extract<ServerFrame, { action: A }> =>
        frame.action === action && wanted(frame as Extract<ServerFrame, { action: A }>)
      );
    return new Promise((resolve, reject) => {
      const fail = () =>
        reject(new Error(`no such ${action} came, but ${this.frames.map((frame) => frame.action).slice(-9)}`));
      const timer = setTimeout(fail, this.#timeout);
      const check = () => {
        const found = find();
        if (found) resolve(found);
        else if (this.socket.readyState === WebSocket.CLOSED) fail();
        else return;
        clearTimeout(timer);
        this.#checks.delete(check);
      };
      this.#checks.add(check);
      check();
    });
  }

  /** All frames that were caused by what was sent before this call: answers come in the order of asking. */
  async soFar(): Promise<ServerFrame[]> {
    const id = crypto.randomUUID();
    this.send({ action: "ping", id });
    await this.until("pong", (frame) => frame.id === id);
    return this.frames.filter(({ action }) => action !== "pong");
  }

  #check(): void {
    for (const check of this.#checks) check();
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
