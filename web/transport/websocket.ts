import type { AddressUsage } from "../../chat/limits/usage.ts";
import { interval, withTimeout } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import type { EncodedFrames } from "../../chat/encoded_frames.ts";
import { PAGE_BYTES } from "../../chat/storage.ts";
import type { Chat } from "../../chat/chat.ts";
import type { Counters } from "../../chat/pipeline/counters.ts";
import { BATCH_PROTOCOL, CLOSE, PING_SECONDS } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";
import type { Session } from "../../chat/session.ts";
import type { Connection } from "../../chat/subscriber.ts";
import { parseFrames } from "../schema/client_frames.ts";
import { type Identity, selectSubprotocol, type Sessions, subprotocols } from "../auth/sessions.ts";
import type { AuditLog } from "../observability/audit_log.ts";
import { offering, roomsAskedFor, turnAway } from "./websocket_handshake.ts";
import { Arrivals } from "./arrivals.ts";
import { FOREIGN_PAGE, originAllowed } from "../auth/origin.ts";
import { SignInRefusal } from "../schema/problem.ts";

/**
 * Bytes that may wait for a slow reader. Beyond that it is disconnected and may resume: two pages, so that a page alone
 * never causes it, and little enough that thousands of stalled phones fit into memory.
 */
export const BUFFER_LIMIT = 256 * 1024;
/** A batch client that is silent for this long has missed two pings; milliseconds. */
export const SILENCE_LIMIT = 2.5 * PING_SECONDS * 1000;
/** How long a socket may take to open, milliseconds: it takes a few, or never opens because the client has left. */
const OPENING_LIMIT = 10_000;
/** How often silent sockets are swept, milliseconds. */
const SWEEP_INTERVAL = 10_000;

/** How many sockets beyond the limit get a close code, which browsers see; further ones are refused as requests. */
const TURNED_AWAY_AT_ONCE = 20;
export const CROWDED = "Too many connections from your address. Close some, or come back later.";
/** Seconds after which another connection may have closed. */
export const CROWDED_RETRY = 30;

/** How long a stopping server waits until sockets have closed, milliseconds. */
const GOODBYE_DEADLINE = 1_000;

/** Accepts sockets, and closes those that fell silent. */
export class Sockets {
  readonly chat: Chat;
  readonly counters: Counters;
  /** Only its monotonic time is used: a change of the clock must not look like silence. */
  readonly clock: Clock;
  readonly #identities: Sessions;
  readonly #allowedOrigins: readonly string[];
  readonly #auditLog: AuditLog;
  readonly #arrivals: Arrivals;
  readonly #open = new Set<Socket>();
  /** Sockets that may not be open yet, and since when. */
  readonly #opening = new Map<WebSocket, number>();
  readonly #stopSweeping: () => void;
  #allClosed = () => {};

  constructor(chat: Chat, identities: Sessions, allowedOrigins: readonly string[], auditLog: AuditLog) {
    this.chat = chat;
    this.counters = chat.services.pipeline.counters;
    this.clock = chat.services.clock;
    this.#arrivals = new Arrivals(this.clock);
    this.#identities = identities;
    this.#allowedOrigins = allowedOrigins;
    this.#auditLog = auditLog;
    this.#stopSweeping = interval(this.clock, SWEEP_INTERVAL, () => this.#sweep());
  }

  /**
   * Answers an upgrade (`isUpgrade`). A refusal that browsers could not see before it (a bad token) follows it.
   * @throws {ChatError} `forbidden` for a foreign page; `rate_limited`, `unavailable`, `bad_frame`
   */
  async connect(request: Request, addressKey: string): Promise<Response> {
    if (!originAllowed(request, this.#allowedOrigins)) {
      throw new ChatError("forbidden", FOREIGN_PAGE);
    }
    if (this.chat.draining) throw new ChatError("unavailable", "The server is restarting. Come back.", 1);
    const { rateLimiter } = this.chat.services;
    const address = rateLimiter.connected(addressKey);
    try {
      // Whoever opens too many makes nobody wait.
      const over = rateLimiter.connectionsOver(address);
      if (over > TURNED_AWAY_AT_ONCE) throw new ChatError("rate_limited", CROWDED, CROWDED_RETRY);
      const turn = this.#arrivals.wait();
      if (turn) await stayed(request, turn);
      return await this.#upgrade(request, address, over > 0);
    } catch (error) {
      rateLimiter.disconnected(address);
      throw error;
    }
  }

  /** @param isTooMany whether it is told so by a close code, as soon as it is open */
  async #upgrade(request: Request, address: AddressUsage, isTooMany: boolean): Promise<Response> {
    const { rateLimiter } = this.chat.services;
    const identity = isTooMany
      ? [CLOSE.tooManyConnections, CROWDED] as const
      : await this.#identify(request, address.key);
    const rooms = roomsAskedFor(request.url);
    const offered = subprotocols(request);
    const protocol = selectSubprotocol(offered);
    const batch = protocol === BATCH_PROTOCOL;
    let upgraded: Deno.WebSocketUpgrade;
    try {
      // Batch clients send pings, so only the others need the runtime's own timer (3 KiB per socket).
      upgraded = Deno.upgradeWebSocket(offering(request, offered), {
        protocol,
        idleTimeout: batch ? 0 : 2 * PING_SECONDS,
      });
    } catch (error) {
      throw new ChatError("bad_frame", `The handshake is not complete: ${(error as Error).message}`);
    }
    const { socket, response } = upgraded;
    // The runtime has begun the upgrade: if its response were not returned, the listener would close for good.
    try {
      this.#opening.set(socket, this.clock.monotonic());
      if ("user" in identity) {
        new Socket(socket, batch, this, address, { ...identity, rooms });
      } else {
        this.counters.closed(identity[0]);
        turnAway(socket, identity, () => rateLimiter.disconnected(address));
      }
    } catch (error) {
      console.error("a socket could not be taken:", error);
      turnAway(socket, [1011, "Something failed here. Come back."], () => rateLimiter.disconnected(address));
    }
    return response;
  }

  /** Who asks, or the close code and the reason for turning them away. */
  async #identify(request: Request, addressKey: string): Promise<Identity | readonly [number, string]> {
    try {
      const identity = await this.#identities.identify(request) ?? this.#identities.newcomer(addressKey);
      if (identity !== "bad token") return identity;
      this.#auditLog.refused({ why: "bad_token", addressKey, origin: request.headers.get("origin") });
      return [CLOSE.badToken, "The token is no good. Ask for another one."];
    } catch (error) {
      if (error instanceof SignInRefusal) return [CLOSE.badToken, error.message];
      if (error instanceof ChatError) return [error.code === "rate_limited" ? CLOSE.flooding : 1011, error.message];
      throw error;
    }
  }

  opened(socket: Socket): void {
    this.#open.add(socket);
  }

  closed(socket: Socket): void {
    this.#open.delete(socket);
    if (this.#open.size === 0) this.#allClosed();
  }

  /** Resolves when all closed sockets have ended, or after `GOODBYE_DEADLINE`. */
  async gone(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#allClosed = resolve);
    if (this.#open.size > 0) await withTimeout(this.clock, GOODBYE_DEADLINE, gone, () => {});
    this.#stopSweeping();
  }

  #sweep(): void {
    const now = this.clock.monotonic();
    for (const socket of this.#open) {
      if (socket.batch && socket.heardAt < now - SILENCE_LIMIT) socket.close(CLOSE.silent, "No ping came. Come back.");
    }
    for (const [socket, since] of this.#opening) {
      const opens = socket.readyState === WebSocket.CONNECTING;
      if (opens && since > now - OPENING_LIMIT) continue;
      this.#opening.delete(socket);
      // If the client leaves before the upgrade, there is no event at all: no open, no error, no close.
      if (opens) socket.dispatchEvent(new Event("close"));
    }
  }
}

/**
 * Resolves when somebody's turn has come. If they have left, their connection must not be upgraded any more: the
 * runtime would keep it, and its file descriptor, for good.
 * @throws {ChatError} if they have
 */
async function stayed({ signal }: Request, turn: Promise<void>): Promise<void> {
  await turn;
  if (signal.aborted) throw new ChatError("bad_frame", "The client has hung up.");
}

/** Who connects, and to which rooms. */
interface Admission extends Identity {
  rooms: string[];
}

/**
 * One socket. It listens as an object, without a closure per event, and catches everything: an error in a socket's
 * handler would end the process.
 */
class Socket implements Connection, EventListenerObject {
  heardAt: number;
  readonly batch: boolean;
  readonly #socket: WebSocket;
  readonly #sockets: Sockets;
  readonly #session: Session;
  /** Set until the socket is closed for good: a stalled one counts, though its session has long ended. */
  #address: AddressUsage | undefined;
  /** Set until the socket is open; the token need not stay in memory longer. */
  #arrival: Admission | undefined;

  constructor(socket: WebSocket, batch: boolean, sockets: Sockets, address: AddressUsage, arrival: Admission) {
    this.#socket = socket;
    this.batch = batch;
    this.#sockets = sockets;
    this.heardAt = sockets.clock.monotonic();
    this.#arrival = arrival;
    this.#address = address;
    this.#session = sockets.chat.enter(this, address.key);
    // An error is always followed by a close.
    for (const event of ["open", "message", "close"]) socket.addEventListener(event, this, { once: event === "open" });
  }

  handleEvent(event: Event): void {
    try {
      switch (event.type) {
        case "open":
          // The sweep has given it up.
          if (!this.#address) return this.#socket.close();
          this.#sockets.opened(this);
          if (this.#sockets.chat.draining) return this.close(CLOSE.restarting, "Restarting. Come back.");
          this.#begin();
          break;
        case "message":
          this.heardAt = this.#sockets.clock.monotonic();
          this.#receive((event as MessageEvent).data);
          break;
        default:
          // It may come twice.
          if (this.#address) this.#sockets.chat.services.rateLimiter.disconnected(this.#address);
          this.#address = undefined;
          this.#sockets.closed(this);
          this.#session.end();
      }
    } catch (error) {
      console.error("a socket event could not be handled:", error);
      this.close(1011, "Something failed here. Come back.");
    }
  }

  #begin(): void {
    const { user, token, rooms, identity } = this.#arrival!;
    this.#arrival = undefined;
    this.#session.start(user, token, rooms, identity);
  }

  get hasRoom(): boolean {
    return this.#socket.bufferedAmount <= BUFFER_LIMIT - PAGE_BYTES;
  }

  deliver(delivery: EncodedFrames): void {
    const socket = this.#socket;
    // Checked once per delivery: its frames have a limit of their own, and none can have left meanwhile.
    if (socket.bufferedAmount > BUFFER_LIMIT) {
      return this.close(CLOSE.tooSlow, "Too slow to keep up. Come back and resume.");
    }
    this.#sockets.counters.messagesOut += delivery.messages;
    if (this.batch) socket.send(delivery.batch);
    else for (const frame of delivery.each) socket.send(frame);
  }

  close(code: number, reason: string): void {
    // The session first: a stalled reader may never answer the close, and must get nothing more.
    this.#session.end();
    if (this.#socket.readyState === WebSocket.OPEN) this.#sockets.counters.closed(code);
    // A socket that is not open yet can't be closed; the reason will be found again when it opens.
    if (this.#socket.readyState !== WebSocket.CONNECTING) this.#socket.close(code, reason);
  }

  #receive(data: unknown): void {
    const session = this.#session;
    // After the close a client may go on sending as long as it likes.
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (typeof data !== "string") {
      return session.receive(new ChatError("bad_frame", "Frames are text. Send JSON as text."), {});
    }
    const limit = this.#sockets.chat.services.limits.frame;
    if (data.length > limit || (data.length * 3 > limit && new TextEncoder().encode(data).length > limit)) {
      return session.receive(new ChatError("frame_too_large", `A frame has at most ${limit} bytes. Send less.`), {});
    }
    for (const { frame, about } of parseFrames(data, this.batch)) session.receive(frame, about);
  }
}
