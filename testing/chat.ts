import type { EncodedFrames } from "../chat/encoded_frames.ts";
import type { Connection } from "../chat/subscriber.ts";
import { RateLimiter } from "../chat/limits/rate_limiter.ts";
import type { Storage } from "../chat/storage.ts";
import type { BannedVisit } from "../chat/moderation/bans.ts";
import { Chat } from "../chat/chat.ts";
import type { ClientFrame, Limits, ServerFrame } from "../chat/protocol.ts";
import type { Session } from "../chat/session.ts";
import { MemoryStorage } from "../storage/memory.ts";
import { FakeClock, settle } from "./clock.ts";
import { NO_LIMITS } from "./limits.ts";

export const LIMITS: Limits = { text: 4_000, name: 32, frame: 65_536, rooms: 50, ping_seconds: 30 };

/** A chat on a store in memory, with time in the test's hand. */
export function createChat(
  options: {
    clock?: FakeClock;
    storage?: Storage;
    limits?: Partial<Limits>;
    rateLimiter?: RateLimiter;
    auditBan?: (visit: BannedVisit) => void;
  } = {},
) {
  const clock = options.clock ?? new FakeClock();
  const storage = options.storage ?? new MemoryStorage({ clock, secret: "", retention: { messages: 0, days: 0 } });
  const limits = { ...LIMITS, ...options.limits };
  const { rateLimiter = new RateLimiter(NO_LIMITS, clock), auditBan = () => {} } = options;
  const chat = new Chat({ storage, limits, clock, random: Math.random, hashAddress, rateLimiter, auditBan });
  return { clock, storage, chat };
}

/** The address "loopback" is never banned. */
const hashAddress = (key: string) => key === "loopback" ? undefined : `hash of ${key}`;

/** A client without a socket: what it was sent stands in `frames`. */
export class FakeClient implements Connection {
  batch = false;
  /** Set for one whose client can ask nothing on it. */
  stream: string | undefined;
  hasRoom = true;
  readonly frames: ServerFrame[] = [];
  /** How many times something came, however many frames it was. */
  deliveries = 0;
  closed: { code: number; reason: string } | undefined;
  readonly session: Session;

  /** @param address the key of the address from which it comes */
  constructor(chat: Chat, user: string, rooms: string[] = ["general"], address?: string) {
    this.session = chat.enter(this, address);
    this.session.start(user, undefined, rooms);
  }

  /** Opens one and lets it arrive. */
  static async enter(chat: Chat, user: string, rooms?: string[], address?: string): Promise<FakeClient> {
    const client = new FakeClient(chat, user, rooms, address);
    await settle();
    return client;
  }

  deliver(delivery: EncodedFrames): void {
    this.deliveries++;
    this.frames.push(...delivery.frames);
  }

  close(code: number, reason: string): void {
    this.session.end();
    this.closed = { code, reason };
  }

  /** Sends frames and lets all that follows from them happen. */
  async send(...frames: ClientFrame[]): Promise<void> {
    for (const frame of frames) this.session.receive(frame);
    await settle();
  }

  /** The frames of one action so far. */
  all<A extends ServerFrame["action"]>(action: A): Extract<ServerFrame, { action: A }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { action: A }> => frame.action === action);
  }

  /** The latest frame of an action, which must have come. */
  last<A extends ServerFrame["action"]>(action: A): Extract<ServerFrame, { action: A }> {
    const frame = this.all(action).at(-1);
    if (!frame) throw new Error(`no ${action} came, only ${this.frames.map(({ action }) => action).join(", ")}`);
    return frame;
  }
}
