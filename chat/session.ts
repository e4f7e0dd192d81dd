import type { AddressUsage, PersonUsage } from "./limits/usage.ts";
import { EncodedFrames } from "./encoded_frames.ts";
import type { Connection, Person, Subscriber } from "./subscriber.ts";
import { pageSize } from "./commands.ts";
import type { Command, HeldName } from "./storage.ts";
import type { RateLimitedAction } from "./limits/token_bucket.ts";
import { FLOODING, rateLimitedActionOf } from "./limits/rate_limiter.ts";
import type { Services } from "./services.ts";
import { isRoomName, roomName } from "./rooms/room_name.ts";
import { type ClientFrame, CLOSE, type JoinRoom, type ServerFrame, type Welcome } from "./protocol.ts";
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
export class Session implements Subscriber {
  readonly connection: Connection;
  /** The key of the address from which it came, where there is one. */
  readonly address: string | undefined;
  readonly rooms = new Set<string>();
  readonly #services: Services;
  readonly #gone: () => void;
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

  /** @param gone called when it has ended */
  constructor(services: Services, connection: Connection, address: string | undefined, gone: () => void) {
    this.#services = services;
    this.#gone = gone;
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
    if (identity) this.#services.sessionExpiry.add(this, identity.until);
    const { rateLimiter } = this.#services;
    this.#account = rateLimiter.person(user);
    this.#place = this.address === undefined ? undefined : rateLimiter.address(this.address);
    if (rateLimiter.blockedFor(this.#account) > 0) return this.#sendAway();
    this.#inTurn({}, async () => {
      const held = await this.#admit(user);
      if (!held || this.#ended) return;
      this.#person = this.#services.users.enter(user, held, this);
      if (identity?.name !== undefined) this.#services.cluster.syncName(this.#person, held);
      const welcome: Welcome = { action: "welcome", user, name: this.#person.name, limits: this.#services.limits };
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
    if (this.#ended || this.#services.isDraining()) return;
    if (this.#waiting >= BACKLOG) {
      this.#services.rateLimiter.block(this.#account!, this.#place);
      return this.#sendAway();
    }
    const refusal = this.#judge(rateLimitedActionOf(frame));
    this.#inTurn(about, () => {
      if (refusal) throw refusal;
      if (frame instanceof ChatError) throw frame;
      return this.#act(frame);
    });
  }

  /** Its person may not be here any more: the connection ends, if they are one of those who may not. */
  endIfBanned(): void {
    // Whoever is still on the way in is judged at the end of it.
    if (!this.#person) return;
    try {
      this.#services.bans.check(this.#person.user, this.address);
    } catch (refusal) {
      // They are not coming back in a moment, as others are who lost a connection.
      for (const name of this.rooms) this.#roomNamed(name)?.leave(this, false);
      this.connection.close(CLOSE.notAllowed, (refusal as ChatError).message);
    }
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
    for (const name of this.rooms) this.#roomNamed(name)?.leave(this, true);
    if (this.#person) this.#services.users.leave(this);
    this.#services.sessionExpiry.delete(this);
    this.#services.rateLimiter.release(this.#account, this.#place);
    this.#gone();
  }

  /** What the user is called, if they may be here. */
  async #admit(user: string): Promise<HeldName | undefined> {
    const { bans, users } = this.#services;
    try {
      await bans.admit(user, this.address);
      const held = await users.resolveName(user, this.#identity?.name);
      bans.check(user, this.address);
      return held;
    } catch (error) {
      if (error instanceof ChatError && error.code === "forbidden") {
        this.#services.rateLimiter.banned(user, this.address);
        return void this.connection.close(CLOSE.notAllowed, error.message);
      }
      this.connection.close(1011, "The server cannot reach its store. Come back.");
      throw error;
    }
  }

  /** Counts what is asked for. Whoever asks too often is told so, and sent away if they go on. */
  #judge(deed: RateLimitedAction): ChatError | undefined {
    const verdict = this.#services.rateLimiter.judge(this.#account!, this.#place, deed);
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
        return this.#join(this.#services.rooms.open(roomName(frame.room), this.#place), frame);
      case "leave_room":
        return this.#leave(roomName(frame.room), frame.id);
      case "set_name":
        return this.#rename(frame.name, frame.id);
      case "typing":
        return this.#type(roomName(frame.room));
      case "ping":
        return this.#answer(answerTo(frame.id, { action: "pong" }));
    }
  }

  async #join(room: Room, { since, limit, id }: Omit<JoinRoom, "action" | "room">): Promise<void> {
    const { limits } = this.#services;
    if (!this.rooms.has(room.name) && this.rooms.size >= limits.rooms) {
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
    const command = toCommand(this.#services, this.person, frame);
    const room = this.#roomNamed(frame.room);
    if (room) return this.#append(command);
    const refusal = this.#judge("joins");
    if (refusal) throw refusal;
    return this.#join(this.#services.rooms.open(frame.room, this.#place), {}).then(() => this.#append(command));
  }

  /** Does not wait for the log: what this client sends next may be kept together with it. */
  #append(command: Command): void {
    if (this.#ended) return;
    const slow = this.#roomNamed(command.room)?.settings.slow_seconds ?? 0;
    const kept = keep(this.#services, command, slow).then(({ entry, repeated }) => {
      if (repeated) this.#roomNamed(command.room)?.answer(this, entry);
    }).catch((error) => this.#fail(error, command));
    const appends = Promise.all([this.#appends, kept]).then(() => {
      if (this.#appends === appends) this.#appends = undefined;
    });
    this.#appends = appends;
  }

  #type(name: string): void {
    const room = this.#roomNamed(name);
    if (!room) throw new ChatError("forbidden", "You are not in this room. Join it first.");
    this.#services.cluster.broadcastTyping(room, this.person);
  }

  async #rename(asked: string, id: string | undefined): Promise<void> {
    if (this.#identity?.name !== undefined) throw nameIsExternal();
    const was = await this.#services.users.rename(this.person, asked);
    if (was !== this.person.name) this.#services.cluster.broadcastName(this.person, was, this);
    this.#answer(answerTo(id, { action: "name_changed", user: this.person.user, name: this.person.name, was }));
  }

  #roomNamed(name: string): Room | undefined {
    return this.rooms.has(name) ? this.#services.rooms.find(name) : undefined;
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
    this.#services.pipeline.counters.refused(refusal.code);
    this.#answer(errorFrame(refusal, about));
  }
}

function answerTo<F extends ServerFrame & { id?: string }>(id: string | undefined, frame: F): F {
  return id === undefined ? frame : { ...frame, id };
}
