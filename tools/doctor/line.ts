import { WebSocket } from "ws";
import type { Clock } from "../../chat/clock.ts";
import type { ClientFrame, ServerFrame } from "../../chat/protocol.ts";

/** Why there is no socket: something answered in its place, or nothing did. */
export type Unopened = { status: number; body: string } | { failure: string };

export interface Call {
  address: URL;
  room: string;
  /** As a page would send it; absent: as a script comes. */
  origin?: string;
  token?: string;
  /** Milliseconds to wait for what must come. */
  patience: number;
  clock: Clock;
}

/** A socket of the doctor's. It notes what comes, and when it was ended by somebody else. */
export class Line {
  readonly frames: ServerFrame[] = [];
  /** Told of each frame as it comes. */
  onFrame: (frame: ServerFrame) => void = () => {};
  /** Set once somebody else has ended it: with which code, and after how many milliseconds. */
  cut: { code: number; after: number } | undefined;
  readonly #socket: WebSocket;
  readonly #call: Call;
  #checks = new Set<() => void>();
  #hungUp = false;

  private constructor(socket: WebSocket, call: Call) {
    this.#socket = socket;
    this.#call = call;
    const opened = call.clock.monotonic();
    socket.on("message", (data: Uint8Array) => {
      const frame: ServerFrame = JSON.parse(String(data));
      this.frames.push(frame);
      this.onFrame(frame);
      this.#check();
    });
    socket.on("close", (code: number) => {
      if (!this.#hungUp) this.cut = { code, after: call.clock.monotonic() - opened };
      this.#check();
    });
  }

  static open(call: Call): Promise<Line | Unopened> {
    const url = new URL(`/connect?room=${call.room}`, call.address);
    url.protocol = url.protocol.replace("http", "ws");
    return new Promise((resolve) => {
      const headers = call.token === undefined ? undefined : { authorization: `Bearer ${call.token}` };
      const socket = new WebSocket(url, { origin: call.origin, headers, handshakeTimeout: call.patience });
      const line = new Line(socket, call);
      socket.on("open", () => resolve(line));
      socket.on("error", ({ message }: Error) => resolve({ failure: message }));
      socket.on(
        "unexpected-response",
        (request: { destroy(): void }, response: AsyncIterable<Uint8Array> & Answered) => {
          read(response).then((body) => resolve({ status: response.statusCode, body })).finally(() =>
            request.destroy()
          );
        },
      );
    });
  }

  send(frame: ClientFrame): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** The first frame of an action, now or as soon as it comes; undefined if it does not come in time or no more. */
  until<A extends ServerFrame["action"]>(action: A): Promise<Extract<ServerFrame, { action: A }> | undefined> {
    const isIt = (frame: ServerFrame): frame is Extract<ServerFrame, { action: A }> => frame.action === action;
    return new Promise((resolve) => {
      const check = (late = false) => {
        const frame = this.frames.find(isIt);
        if (!frame && !late && !this.cut) return;
        cancel();
        this.#checks.delete(check);
        resolve(frame);
      };
      const cancel = this.#call.clock.after(this.#call.patience, () => check(true));
      this.#checks.add(check);
      check();
    });
  }

  async hangUp(): Promise<void> {
    this.#hungUp = true;
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#socket.on("close", resolve));
    this.#socket.close();
    const cancel = this.#call.clock.after(this.#call.patience, () => this.#socket.terminate());
    await closed;
    cancel();
  }

  #check(): void {
    for (const check of this.#checks) check();
  }
}

interface Answered {
  statusCode: number;
}

async function read(answer: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of answer) text += decoder.decode(bytes, { stream: true });
  return text;
}
