import type { AddressUsage, PersonUsage } from "./limits/usage.ts";
import { type Connection, EncodedFrames } from "./encoded_frames.ts";
import { pageSize } from "./commands.ts";
import type { Command, HeldName } from "./storage.ts";
import type { RateLimitedAction } from "./limits/token_bucket.ts";
import { FLOODING, rateLimitedActionOf } from "./limits/rate_limiter.ts";
import type { Chat } from "./chat.ts";
import { isRoomName, roomName } from "./rooms/room_name.ts";
import type { Person } from "./users/users.ts";
import {
  type ClientFrame,
  CLOSE,
  type JoinRoom,
  MEMBERS_LISTED,
  type ServerFrame,
  TYPING_SECONDS,
  type Welcome,
} from "./protocol.ts";
import { ChatError, errorFrame } from "./errors.ts";
import type { Room } from "./rooms/room.ts";
import { type ExternalIdentity, nameIsExternal } from "./users/session_expiry.ts";
import { keep, toCommand, type Writing } from "./writing.ts";

/** Frames of one client that may wait for the one before them; who sends more without waiting for answers is flooding. */
export const BACKLOG = 256;
/** What an error says it is about. */
export interface About {
  room?: unknown;
  id?: unknown;
}

/** One connection of one person, from its welcome to its end. What it asks is done in the order in which it asks. */
export class Session {
  readonly connection: Connection;
  /** The key of the address from which it came, where there is one. */
  readonly address: string | undefined;
  readonly rooms = new Set<Room>();
  readonly #chat: Chat;
  #person: Person | undefined;
  /** What is being done, if anything is. */
  #turn: Promise<void> | undefined;
  #waiting = 0;
  #joining: Room | undefined;
  /** What is still being kept, in whichever rooms. */
  #appends: Promise<unknown> | undefined;
  #ended = false;
  /** What its person and its address have used up. */
  #identity: ExternalIdentity | undefined;
  #account: PersonUsage | undefined;
  #place: AddressUsage | undefined;

  constructor(chat: Chat, connection: Connection, address: string | undefined) {
    this.#chat = chat;
    this.connection = connection;
    this.address = address;
  }

  /** Whose session it is: known from the welcome on, and so to every room. */
  get person(): Person {
    return this.#person!;
  }

  /**
   * Names and welcomes the user, then enters these rooms.
   * @param token told to the client, so that it can come back as the same person; not where a cookie does that
   * @param voucher where the user has an account elsewhere
   */
  start(user: string, token: string | undefined, rooms: readonly string[], identity?: ExternalIdentity): void {
    this.#identity = identity;
    if (identity) this.#chat.sessionExpiry.add(this, identity.until);
    const { rateLimiter } = this.#chat;
    this.#account = rateLimiter.person(user);
    this.#place = this.address === undefined ? undefined : rateLimiter.address(this.address);
    if (rateLimiter.blockedFor(this.#account) > 0) return this.#sendAway();
    this.#inTurn({}, async () => {
      const held = await this.#admit(user);
      if (!held || this.#ended) return;
      this.#person = this.#chat.users.enter(user, held, this);
      if (identity?.name !== undefined) this.#chat.syncName(this.#person, held);
      const welcome: Welcome = { action: "welcome", user, name: this.#person.name, limits: this.#chat.limits };
      if (token !== undefined) welcome.token = token;
      this.#answer(welcome);
    });
    for (const room of rooms) this.receive({ action: "join_room", room });
  }

  /**
   * Takes a frame that the client sent, or the reason why what it sent was none. Once the server is to stop it takes
   * none: what is not acknowledged is sent again elsewhere.
   */
  receive(frame: ClientFrame | ChatError, about: About = frame as ClientFrame): void {
    if (this.#ended || this.#chat.draining) return;
    if (this.#waiting >= BACKLOG) {
      this.#chat.rateLimiter.block(this.#account!, this.#place);
      return this.#sendAway();
    }
    const refusal = this.#judge(rateLimitedActionOf(frame));
    this.#inTurn(about, () => {
      if (refusal) throw refusal;
      if (frame instanceof ChatError) throw frame;
      return this.#act(frame);
    });
  }

  /** Whether it is in the room of this (normalised) name. */
  isIn(name: string): boolean {
    return this.#roomNamed(name) !== undefined;
  }

  /**
   * Its person writes something: told to the others, though not too often and not to a crowd.
   * @throws {ChatError} `forbidden` to who is not in the room
   */
  type(name: string): void {
    const room = this.#roomNamed(name);
    if (!room) throw new ChatError("forbidden", "You are not in this room. Join it first.");
    const now = this.#chat.clock.now();
    if (room.members.count > MEMBERS_LISTED || Math.abs(now - this.person.typedAt) < TYPING_SECONDS * 1000) return;
    this.person.typedAt = now;
    this.#chat.tellTyping(room, this.person);
  }

  /** Its person leaves this room, having said so elsewhere. */
  leaveRoom(name: string): void {
    this.receive({ action: "leave_room", room: name });
  }

  /** The connection is no more. Its person stays in the rooms for a moment: most come back. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#joining?.leave(this, true);
    for (const room of this.rooms) room.leave(this, true);
    if (this.#person) this.#chat.users.leave(this);
    this.#chat.sessionExpiry.delete(this);
    this.#chat.rateLimiter.release(this.#account, this.#place);
    this.#chat.leave(this);
  }

  /** What the user is called, if they may be here. */
  async #admit(user: string): Promise<HeldName | undefined> {
    const { bans, users } = this.#chat;
    try {
      await bans.admit(user, this.address);
      const held = await users.resolveName(user, this.#identity?.name);
      bans.check(user, this.address);
      return held;
    } catch (error) {
      if (error instanceof ChatError && error.code === "forbidden") {
        this.#chat.rateLimiter.banned(user, this.address);
        return void this.connection.close(CLOSE.notAllowed, error.message);
      }
      this.connection.close(1011, "The server cannot reach its store. Come back.");
      throw error;
    }
  }

  /** Counts what is asked for. Whoever asks too often is told so, and sent away if they go on. */
  #judge(deed: RateLimitedAction): ChatError | undefined {
    const verdict = this.#chat.rateLimiter.judge(this.#account!, this.#place, deed);
    if (verdict !== "flooding") return verdict;
    this.#sendAway();
    return new ChatError("rate_limited", FLOODING);
  }

  #sendAway(): void {
    this.connection.close(CLOSE.flooding, FLOODING);
  }

  #inTurn(about: About, work: () => void | Promise<void>): void {
    this.#waiting++;
    this.#turn = (this.#turn ?? Promise.resolve())
      .then(() => this.#ended ? undefined : work())
      .catch((error) => this.#fail(error, about))
      .then(() => {
        if (--this.#waiting === 0) this.#turn = undefined;
      });
  }

  #act(frame: ClientFrame): void | Promise<void> {
    switch (frame.action) {
      case "send_message":
      case "edit_message":
      case "delete_message":
        return this.#write({ ...frame, room: roomName(frame.room) });
      case "join_room":
        return this.#join(this.#chat.room(roomName(frame.room), this.#place), frame);
      case "leave_room":
        return this.#leave(roomName(frame.room), frame.id);
      case "set_name":
        return this.#rename(frame.name, frame.id);
      case "typing":
        return this.type(roomName(frame.room));
      case "ping":
        return this.#answer(answerTo(frame.id, { action: "pong" }));
    }
  }

  async #join(room: Room, { since, limit, id }: Omit<JoinRoom, "action" | "room">): Promise<void> {
    const { limits } = this.#chat;
    if (!this.rooms.has(room) && this.rooms.size >= limits.rooms) {
      room.forgetIfEmpty();
      throw new ChatError("too_many_rooms", `A connection is in at most ${limits.rooms} rooms. Leave one first.`);
    }
    this.#joining = room;
    try {
      await room.join(this, { since, id, limit: pageSize(limit) });
    } finally {
      this.#joining = undefined;
    }
  }

  async #leave(name: string, id: string | undefined): Promise<void> {
    // Own words that are still being kept come back first: their copy is the acknowledgement.
    await this.#appends;
    this.#roomNamed(name)?.leave(this, false);
    this.#answer(answerTo(id, { action: "room_left", room: name }));
  }

  #write(frame: Writing): void | Promise<void> {
    const command = toCommand(this.#chat, this.person, frame);
    const room = this.#roomNamed(frame.room);
    if (room) return this.#append(command);
    const refusal = this.#judge("joins");
    if (refusal) throw refusal;
    return this.#join(this.#chat.room(frame.room, this.#place), {}).then(() => this.#append(command));
  }

  /** Does not wait for the log: what this client sends next may be kept together with it. */
  #append(command: Command): void {
    if (this.#ended) return;
    const slow = this.#roomNamed(command.room)?.settings.slow_seconds ?? 0;
    const kept = keep(this.#chat, command, slow).then(({ entry, repeated }) => {
      if (repeated) this.#roomNamed(command.room)?.answer(this, entry);
    }).catch((error) => this.#fail(error, command));
    const appends = Promise.all([this.#appends, kept]).then(() => {
      if (this.#appends === appends) this.#appends = undefined;
    });
    this.#appends = appends;
  }

  async #rename(asked: string, id: string | undefined): Promise<void> {
    if (this.#identity?.name !== undefined) throw nameIsExternal();
    const was = await this.#chat.users.rename(this.person, asked);
    if (was !== this.person.name) this.#chat.tellName(this.person, was, this);
    this.#answer(answerTo(id, { action: "name_changed", user: this.person.user, name: this.person.name, was }));
  }

  #roomNamed(name: string): Room | undefined {
    for (const room of this.rooms) if (room.name === name) return room;
  }

  #answer(frame: ServerFrame): void {
    if (!this.#ended) this.connection.deliver(new EncodedFrames(frame));
  }

  #fail(error: unknown, about: About): void {
    const { room, id } = about;
    about = { id, room: typeof room === "string" && isRoomName(room) ? roomName(room) : room };
    if (!(error instanceof ChatError)) console.error("a frame could not be handled:", error);
    const refusal = error instanceof ChatError
      ? error
      : new ChatError("unavailable", "Something failed here. Try again in a moment.", 1);
    this.#chat.counters.refused(refusal.code);
    this.#answer(errorFrame(refusal, about));
  }
}

function answerTo<F extends ServerFrame & { id?: string }>(id: string | undefined, frame: F): F {
  return id === undefined ? frame : { ...frame, id };
}
