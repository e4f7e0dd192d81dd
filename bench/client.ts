/** The clients of the load: raw connections that send prepared frames and look for a marker in what comes back. */

import type { ClientFrame } from "../chat/protocol.ts";
import { FrameReader } from "./frames.ts";

/** What is to be measured, and on whom. */
export interface Load {
  /** The servers' ports, over which the clients are spread, and their processes. */
  ports: number[];
  pids: number[];
  /** The port of the Redis that they keep their words in, if they do. */
  redis?: number;
  /** What the clients speak. */
  protocol: "batch" | "plain" | "socket.io";
  rooms: number;
  /** Sockets in each room. */
  sockets: number;
  /** Messages a second in each room. */
  rate: number;
  /** How long it is measured, seconds, after as long a warm-up as is said here, at a pace of its own. */
  seconds: number;
  warmUp: number;
  warmUpRate: number;
  /** Refusals are counted. */
  mayRefuse?: boolean;
  /** More than can be delivered: it is measured too how long it takes until all is well again. */
  overload?: boolean;
  /** Characters of a message, 14 at least. */
  text?: number;
  /** So many people come and go before those who stay, so that a server is measured that has been up for a while. */
  visitors?: number;
  /** Seconds after which a connection's memory is looked at once more. */
  rest?: number;
}

/**
 * A small load is warmed up with more messages than it has, so that a server is measured that has been up for a while:
 * a few hundred messages are too few for any of the runtimes to have compiled what they run. None gets more deliveries
 * a second for that than all can make.
 */
const WARM_UP_RATE = 200;
const WARM_UP_DELIVERIES = 40_000;
/** Messages a second in each room while a server is warmed up for this load. */
export function warmUpRate({ rooms, sockets, rate }: Pick<Load, "rooms" | "sockets" | "rate">): number {
  return rate === 0 ? 0 : Math.max(rate, Math.min(WARM_UP_RATE, WARM_UP_DELIVERIES / (rooms * sockets)));
}

/** Surrounds a time in a message's text: `^` and 12 digits, microseconds, and `^`. */
const MARK = "^".charCodeAt(0);
const MARKER_LENGTH = 14;
const WORDS = " and some words that people say";
const USUAL_TEXT = MARKER_LENGTH + WORDS.length;
/** One connection of so many has its delays taken down; the others are only counted. */
const SAMPLED = 16;
/** Clients that connect at the same time. */
const CONNECTING = 100;
/** By then a server has told that somebody is gone, milliseconds. */
const TOLD_GONE = 7_000;
const HEAD_END = "\r\n\r\n";
const BUFFER = 32 * 1024;
/** Sockets that speak, spread over the rooms: a worker of its own keeps their pace however much there is to read. */
const SPEAKERS = 20;
/** Microseconds, on one clock for both threads, in twelve digits. */
const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000) % 1e12;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A client's text frame. The mask is zero, which is allowed and saves masking. */
export function frame(text: string): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(text);
  const long = body.length > 125;
  const head = long ? [0x81, 0xfe, body.length >> 8, body.length & 255] : [0x81, 0x80 | body.length];
  const bytes = new Uint8Array(head.length + 4 + body.length);
  bytes.set(head);
  bytes.set(body, head.length + 4);
  return bytes;
}

/** What asks for a WebSocket. */
export function handshake(port: number, path: string, headers: string[]): Uint8Array<ArrayBuffer> {
  const head = [
    `GET ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==",
    ...headers,
  ];
  return encoder.encode(head.join("\r\n") + HEAD_END);
}

export class Client {
  readonly #connection: Deno.TcpConn;
  readonly #load: Load;
  readonly room: string;
  /** Whether all of the answer's head has come; frames follow it. */
  #hasHead = false;
  delays: number[] | undefined;
  received = 0;
  /** Counts the frames of one client of so many. */
  reader: FrameReader | undefined;
  /** What the server refused to this client, counted only where it is asked for, since it means reading everything. */
  refused: number | undefined;

  private constructor(connection: Deno.TcpConn, load: Load, room: string) {
    this.#connection = connection;
    this.#load = load;
    this.room = room;
  }

  static async connect(load: Load, number: number): Promise<Client> {
    const room = `room${number % load.rooms}`;
    const port = load.ports[Math.floor(number / load.rooms) % load.ports.length];
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    const path = load.protocol === "socket.io"
      ? `/socket.io/?EIO=4&transport=websocket&room=${room}`
      : `/connect?room=${room}`;
    const protocol = load.protocol === "batch" ? ["sec-websocket-protocol: chat.batch.v1"] : [];
    await connection.write(handshake(port, path, protocol));
    const client = new Client(connection, load, room);
    if (number % SAMPLED === 0 || load.rooms * load.sockets < 2 * SAMPLED) client.reader = new FrameReader();
    if (load.protocol === "socket.io") {
      await client.#until('"sid"');
      await client.#write(frame("40"));
    }
    await client.#until(load.protocol === "socket.io" ? "40{" : "room_joined");
    return client;
  }

  /** Reads until the other end hangs up, or `close` is called. */
  async listen(): Promise<void> {
    const buffer = new Uint8Array(BUFFER);
    let kept = 0;
    for (;;) {
      const length = await this.#connection.read(buffer.subarray(kept)).catch(() => null);
      if (length === null) return;
      this.reader?.read(buffer.subarray(kept, kept + length));
      kept = this.#scan(buffer, kept + length);
    }
  }

  /** @param length how many characters it has, unless as many as people usually say */
  say(length = this.#load.text ?? USUAL_TEXT): void {
    const time = now().toString().padStart(12, "0");
    const text = `^${time}^${WORDS}`.padEnd(length, WORDS).slice(0, Math.max(length, MARKER_LENGTH));
    this.send({ action: "send_message", room: this.room, text });
  }

  send(action: ClientFrame): void {
    const message = JSON.stringify(action);
    void this.#write(frame(this.#load.protocol === "socket.io" ? `42["${action.action}",${message}]` : message));
  }

  close(): void {
    this.#connection.close();
  }

  /** Counts what stands in the first bytes of the buffer; what may go on in the next read is moved to its start. */
  #scan(buffer: Uint8Array, end: number): number {
    if (this.refused !== undefined) {
      this.refused += decoder.decode(buffer.subarray(0, end)).split('"rate_limited"').length - 1;
    }
    let at = 0;
    for (;;) {
      const found = buffer.indexOf(MARK, at);
      if (found === -1 || found >= end) {
        if (this.#load.protocol === "socket.io") this.#answerPing(buffer, end);
        return 0;
      }
      if (found + MARKER_LENGTH > end) {
        buffer.copyWithin(0, found, end);
        return end - found;
      }
      if (buffer[found + MARKER_LENGTH - 1] === MARK) {
        this.received++;
        if (this.delays) {
          const sent = Number(decoder.decode(buffer.subarray(found + 1, found + MARKER_LENGTH - 1)));
          this.delays.push((now() - sent) / 1000);
        }
        at = found + MARKER_LENGTH;
      } else {
        at = found + 1;
      }
    }
  }

  /** Engine.IO's server asks with a frame that holds just "2". */
  #answerPing(buffer: Uint8Array, end: number): void {
    if (end >= 3 && buffer[end - 3] === 0x81 && buffer[end - 2] === 1 && buffer[end - 1] === 0x32) {
      void this.#write(frame("3"));
    }
  }

  /** Reads until this word has come. */
  async #until(word: string): Promise<void> {
    const buffer = new Uint8Array(BUFFER);
    let text = "";
    while (!text.includes(word)) {
      const length = await this.#connection.read(buffer);
      if (length === null) throw new Error(`hung up: ${text}`);
      let from = 0;
      const before = text.length;
      text += decoder.decode(buffer.subarray(0, length));
      if (!this.#hasHead) {
        const end = text.indexOf(HEAD_END);
        this.#hasHead = end !== -1;
        from = this.#hasHead ? end + HEAD_END.length - before : length;
      }
      this.reader?.read(buffer.subarray(from, length));
    }
  }

  #write(bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
    return this.#connection.write(bytes).catch(() => {});
  }
}

/** That many people come, hear who is there, and are gone again once everyone knows. */
export async function visit(load: Load, visitors: number): Promise<void> {
  for (const client of await connect(load, 0, visitors)) client.close();
  await pause(TOLD_GONE);
}

/** Connects the clients of these numbers, spread evenly over the rooms. */
export async function connect(load: Load, from: number, to: number): Promise<Client[]> {
  const clients: Client[] = [];
  let next = from;
  const line = async () => {
    while (next < to) clients.push(await Client.connect(load, next++));
  };
  await Promise.all(Array.from({ length: CONNECTING }, line));
  return clients;
}

/** How many clients speak: at least one in each room. */
export function speakers({ rooms, sockets }: Load): number {
  return Math.max(rooms, Math.min(SPEAKERS, Math.floor(rooms * sockets / 2)));
}

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export const count = (clients: Client[]) => clients.reduce((sum, client) => sum + client.received, 0);

/** What the speaking thread is asked to do. */
export type Order =
  | { load: Load }
  /** Speak at this pace: messages a second in each room. */
  | { seconds: number; rate: number }
  /** Say one thing, again and again if it is refused, until it has come back within this many milliseconds. */
  | { within: number };

/** What the two threads tell each other. */
export interface Report {
  /** Messages sent, and how far behind the pace the latest one was, milliseconds. */
  sent: number;
  late: number;
  received: number;
  refused: number;
}
