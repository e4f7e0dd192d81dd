import { WebSocket } from "ws";
import { BATCH_PROTOCOL, type ClientFrame, type ErrorFrame, type ServerFrame } from "../../chat/protocol.ts";
import type { Visitor } from "./visitor.ts";

/** Why there is no socket: something answered in its place, or nothing did. */
export type Unopened = { status: number; body: string } | { failure: string };

/** A socket as the page opens it. It notes what comes, and when it was ended by somebody else. */
export class Line {
  readonly frames: ServerFrame[] = [];
  /** Told of each frame as it comes. */
  onFrame: (frame: ServerFrame) => void = () => {};
  /** Set once somebody else has ended it: with which code, and after how many milliseconds. */
  cut: { code: number; after: number } | undefined;
  readonly #socket: WebSocket;
  readonly #visitor: Visitor;
  #checks = new Set<() => void>();
  #hungUp = false;
  #stopPinging = () => {};

  private constructor(socket: WebSocket, visitor: Visitor) {
    this.#socket = socket;
    this.#visitor = visitor;
    const opened = visitor.clock.monotonic();
    socket.on("message", (data: Uint8Array) => {
      for (const frame of framesIn(String(data))) {
        const seconds = frame.action === "welcome" ? frame.limits?.ping_seconds : undefined;
        if (seconds !== undefined && seconds > 0) this.#pingEvery(seconds * 1000);
        this.frames.push(frame);
        this.onFrame(frame);
      }
      this.#check();
    });
    socket.on("close", (code: number) => {
      this.#stopPinging();
      if (!this.#hungUp) this.cut = { code, after: visitor.clock.monotonic() - opened };
      this.#check();
    });
  }

  static open(visitor: Visitor, room: string): Promise<Line | Unopened> {
    const url = new URL(`connect?room=${room}`, visitor.base);
    url.protocol = url.protocol.replace("http", "ws");
    return new Promise((resolve) => {
      const { origin, cookie, timeout } = visitor;
      const headers = cookie === undefined ? undefined : { cookie };
      const socket = new WebSocket(url, [BATCH_PROTOCOL], { origin, headers, handshakeTimeout: timeout });
      const line = new Line(socket, visitor);
      socket.on("open", () => resolve(line));
      socket.on("error", ({ message }: Error) => resolve({ failure: message }));
      socket.on(
        "unexpected-response",
        (request: { destroy(): void }, response: AsyncIterable<Uint8Array> & Answered) => {
          const cancel = visitor.clock.after(timeout, () => request.destroy());
          read(response).then((body) => {
            cancel();
            request.destroy();
            resolve({ status: response.statusCode, body });
          });
        },
      );
    });
  }

  send(frame: ClientFrame): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** What the server would not do, if anything. */
  get refusal(): ErrorFrame | undefined {
    return this.frames.find((frame) => frame.action === "error");
  }

  /** The first frame of an action, now or as soon as it comes; undefined if it does not come in time or no more. */
  until<A extends ServerFrame["action"]>(action: A): Promise<Extract<ServerFrame, { action: A }> | undefined> {
    const isIt = (frame: ServerFrame): frame is Extract<ServerFrame, { action: A }> => frame.action === action;
    return new Promise((resolve) => {
      const check = (late = false) => {
        const frame = this.frames.find(isIt);
        if (!frame && !late && !this.cut && !this.refusal) return;
        cancel();
        this.#checks.delete(check);
        resolve(frame);
      };
      const cancel = this.#visitor.clock.after(this.#visitor.timeout, () => check(true));
      this.#checks.add(check);
      check();
    });
  }

  async hangUp(): Promise<void> {
    this.#hungUp = true;
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#socket.on("close", resolve));
    this.#socket.close();
    const cancel = this.#visitor.clock.after(this.#visitor.timeout, () => this.#socket.terminate());
    await closed;
    cancel();
  }

  /** The server ends a socket of the page's that doesn't. @param interval milliseconds */
  #pingEvery(interval: number): void {
    this.#stopPinging = this.#visitor.clock.after(interval, () => {
      this.send({ action: "ping" });
      this.#pingEvery(interval);
    });
  }

  #check(): void {
    for (const check of this.#checks) check();
  }
}

interface Answered {
  statusCode: number;
}

/** What stands in a message; nothing, where it is none of ours. */
export function framesIn(text: string): ServerFrame[] {
  try {
    return [JSON.parse(text)].flat().filter((frame) => typeof frame?.action === "string");
  } catch {
    return [];
  }
}

/** A problem is far shorter. */
const LONGEST = 100_000;

/** The body, or as much of it as came. */
async function read(answer: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of answer) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length > LONGEST) break;
    }
  } catch { /* it broke off, or took too long */ }
  return text;
}
