import { interval, withTimeout } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import { EncodedFrames } from "../../chat/encoded_frames.ts";
import { PAGE_BYTES } from "../../chat/storage.ts";
import type { Chat } from "../../chat/chat.ts";
import { CLOSE, type Position, type ServerFrame } from "../../chat/protocol.ts";
import { BannedError, ChatError } from "../../chat/errors.ts";
import type { Session } from "../../chat/session.ts";
import type { Connection } from "../../chat/subscriber.ts";
import type { Counters } from "../../chat/pipeline/counters.ts";
import { BEAT, closeEvent, type Events, eventsOf, joinBytes, retryAfter } from "./sse_text.ts";
import type { Identity } from "../auth/sessions.ts";
import { BUFFER_LIMIT, CROWDED, CROWDED_RETRY } from "./websocket.ts";

/** How often a comment goes to quiet streams, milliseconds: proxies cut what is silent for 30 s. */
export const HEARTBEAT = 15_000;
/** What a browser's `EventSource` waits before it reconnects, milliseconds, and the random addition when all do. */
const RETRY = 1_000;
const RETRY_SPREAD = 3_000;
/** How long a stopping server waits until streams have got their last event, milliseconds. */
const GOODBYE_DEADLINE = 1_000;

/** Compression would delay events, and so would a proxy that buffers an answer. */
export const EVENT_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

/** Who listens, to which room, and from where on. */
interface Listening extends Identity {
  room: string;
  since?: Position;
  limit?: number;
  /** The client's own name for the stream, to leave by in an action. */
  name?: string;
  /** The key of the address from which it comes. */
  address: string;
}

/** Opens event streams: each is a session in one room that only listens. */
export class Streams {
  readonly counters: Counters;
  readonly #chat: Chat;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #open = new Set<Stream>();
  readonly #encoded = new WeakMap<EncodedFrames, Events>();
  readonly #stopBeating: () => void;
  #allClosed = () => {};

  /** @param random in [0, 1) */
  constructor(chat: Chat, random: () => number) {
    this.#chat = chat;
    this.counters = chat.services.pipeline.counters;
    this.#clock = chat.services.clock;
    this.#random = random;
    this.#stopBeating = interval(this.#clock, HEARTBEAT, () => this.#open.forEach((stream) => stream.beat()));
  }

  /**
   * Opens a stream, which begins with `room_joined`.
   * @throws {ChatError} why its session could not join
   */
  async open(listening: Listening): Promise<Response> {
    const { rateLimiter } = this.#chat.services;
    const address = rateLimiter.connected(listening.address);
    const gone = () => rateLimiter.disconnected(address);
    try {
      if (rateLimiter.connectionsOver(address) > 0) throw new ChatError("rate_limited", CROWDED, CROWDED_RETRY);
      const stream = new Stream(this, this.#chat, listening, gone);
      return new Response(await stream.joined, { headers: EVENT_HEADERS });
    } catch (error) {
      gone();
      throw error;
    }
  }

  opened(stream: Stream): void {
    this.#open.add(stream);
  }

  closed(stream: Stream): void {
    if (this.#open.delete(stream)) stream.gone();
    if (this.#open.size === 0) this.#allClosed();
  }

  /** A delivery as events: the same bytes for all streams, since its frames are of one room. */
  encode(delivery: EncodedFrames, epoch: string): Events {
    let events = this.#encoded.get(delivery);
    if (!events) this.#encoded.set(delivery, events = eventsOf(delivery, epoch));
    return events;
  }

  /** How long a browser should wait before it reconnects, milliseconds. */
  retry(code: number): number {
    return code === CLOSE.restarting ? RETRY + Math.round(this.#random() * RETRY_SPREAD) : RETRY;
  }

  /** Resolves when all closed streams have ended, or after `GOODBYE_DEADLINE`. */
  async gone(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#allClosed = resolve);
    if (this.#open.size > 0) await withTimeout(this.#clock, GOODBYE_DEADLINE, gone, () => {});
    this.#stopBeating();
  }
}

/**
 * One stream. It keeps its own queue and gives the runtime all that waits in one piece at a time, so that what waits
 * for a slow reader is known and can be dropped.
 */
class Stream implements Connection {
  readonly batch = true;
  readonly stream: string;
  /** The body, once its session has joined the room. */
  readonly joined: Promise<ReadableStream<Uint8Array>>;
  /** To be called once it takes no memory any more. */
  readonly gone: () => void;
  readonly #streams: Streams;
  readonly #session: Session;
  #begun: PromiseWithResolvers<ReadableStream<Uint8Array>> | undefined;
  /** Comes first from the session, but goes second to the client. */
  #welcome: ServerFrame[] = [];
  #epoch = "";
  #queue: Uint8Array[] = [];
  #queued = 0;
  /** Bytes that the runtime has not yet passed on. */
  #underWay = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Whether the runtime waits for more. */
  #wanted = false;
  #ended = false;

  constructor(streams: Streams, chat: Chat, listening: Listening, gone: () => void) {
    const { user, token, room, since, limit, name, address, identity } = listening;
    this.gone = gone;
    this.#streams = streams;
    this.stream = name ?? "";
    this.#begun = Promise.withResolvers();
    this.joined = this.#begun.promise;
    this.#session = chat.enter(this, address);
    this.#session.start(user, token, [], identity);
    this.#session.receive({ action: "join_room", room, since, limit });
  }

  get hasRoom(): boolean {
    return this.#waiting <= BUFFER_LIMIT - PAGE_BYTES;
  }

  deliver(delivery: EncodedFrames): void {
    if (this.#ended) return;
    if (this.#begun) return this.#begin(delivery);
    if (this.#waiting > BUFFER_LIMIT) {
      // Its client gets what it has not read when it resumes.
      this.#queue = [];
      this.#queued = 0;
      return this.close(CLOSE.tooSlow, "Too slow to keep up. Come back and resume.");
    }
    const { bytes, epoch, left } = this.#streams.encode(delivery, this.#epoch);
    this.#epoch = epoch;
    this.#streams.counters.messagesOut += delivery.messages;
    this.#write(bytes);
    if (left) this.close(1000, "You left the room.");
  }

  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#session.end();
    if (this.#begun) {
      const refusal = code === CLOSE.notAllowed
        ? new BannedError(reason)
        : code === CLOSE.flooding
        ? new ChatError("rate_limited", reason, CROWDED_RETRY)
        : new ChatError("unavailable", reason, 1);
      return this.#refuse(refusal);
    }
    if (code !== 1000) this.#streams.counters.closed(code);
    this.#write(closeEvent(code, reason, this.#streams.retry(code)));
    this.#ended = true;
    this.#endIfRead();
  }

  /** Sends a comment, unless something else is on its way. */
  beat(): void {
    if (this.#waiting === 0) this.#write(BEAT);
  }

  get #waiting(): number {
    return this.#queued + this.#underWay;
  }

  #begin(delivery: EncodedFrames): void {
    const [first] = delivery.frames;
    if (first.action === "welcome") {
      this.#welcome = [first];
    } else if (first.action === "error") {
      this.#session.end();
      this.#refuse(new ChatError(first.code, first.message, first.retry_after));
    } else if (first.action === "room_joined") {
      const { resolve } = this.#begun!;
      this.#begun = undefined;
      this.#streams.opened(this);
      const [joined, ...held] = delivery.frames;
      this.#write(retryAfter(this.#streams.retry(1000)));
      this.deliver(new EncodedFrames(joined, ...this.#welcome, ...held));
      resolve(this.#body());
    }
  }

  #refuse(refusal: ChatError): void {
    this.#ended = true;
    this.#begun!.reject(refusal);
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => {
        this.#underWay = 0;
        this.#wanted = true;
        this.#pass();
        this.#endIfRead();
      },
      cancel: () => {
        this.#ended = true;
        this.#session.end();
        this.#streams.closed(this);
      },
    }, { highWaterMark: 0 });
  }

  #write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#pass();
  }

  /** Gives the runtime all that waits in one piece, if the runtime waits for more. */
  #pass(): void {
    if (!this.#wanted || this.#queue.length === 0) return;
    this.#wanted = false;
    const bytes = this.#queue.length === 1 ? this.#queue[0] : joinBytes(this.#queue, this.#queued);
    this.#queue = [];
    this.#queued = 0;
    this.#underWay = bytes.length;
    this.#controller!.enqueue(bytes);
  }

  #endIfRead(): void {
    if (!this.#ended || this.#queue.length > 0 || !this.#wanted) return;
    this.#controller!.close();
    this.#streams.closed(this);
  }
}
