import { type Committed, type ConnectedCaller, executeCommand } from "./commands.ts";
import { EncodedFrames } from "./encoded_frames.ts";
import type { EntryFrame } from "./entries/kinds.ts";
import { BannedError, ChatError, errorFrame } from "./errors.ts";
import { FLOODING, rateLimitedActionOf } from "./limits/rate_limiter.ts";
import type { RateLimitedAction } from "./limits/token_bucket.ts";
import type { AddressUsage, PersonUsage } from "./limits/usage.ts";
import { type ClientFrame, CLOSE, type ServerFrame, type Welcome } from "./protocol.ts";
import type { JoinRequest } from "./rooms/pending_join.ts";
import type { Room } from "./rooms/room.ts";
import { isRoomName, roomName } from "./rooms/room_name.ts";
import type { Services } from "./services.ts";
import type { HeldName } from "./storage.ts";
import type { Connection, Person } from "./subscriber.ts";
import type { ExternalIdentity } from "./users/session_expiry.ts";

/**
 * Frames of one client that may wait for the one before them; who sends more without waiting for answers is flooding.
 */
export const BACKLOG = 256;
/** What an error says it is about. */
export interface About {
  room?: unknown;
  id?: unknown;
}

/**
 * One connection of one person, from its welcome to its end. What it asks is executed in the order in which it asks.
 */
export class Session implements ConnectedCaller {
  readonly connection: Connection;
  readonly address: string | undefined;
  readonly rooms = new Set<string>();
  readonly #services: Services;
  readonly #onEnd: () => void;
  #person: Person | undefined;
  #identity: ExternalIdentity | undefined;
  #personUsage: PersonUsage | undefined;
  #addressUsage: AddressUsage | undefined;
  /** What waits for the work that is being done; undefined if none is. */
  #queue: (() => void)[] | undefined;
  /** The welcome, while it waits to be sent together with the first page. */
  #greeting: Welcome | undefined;
  #joining: Room | undefined;
  /** Resolves when nothing is being stored any more, in whichever room. */
  #commits: Promise<unknown> | undefined;
  #ended = false;

  /** @param onEnd called once, when it ends */
  constructor(services: Services, connection: Connection, address: string | undefined, onEnd: () => void) {
    this.#services = services;
    this.connection = connection;
    this.address = address;
    this.#onEnd = onEnd;
  }

  /** Whose session it is: known from the welcome on, and so to every room. */
  get person(): Person {
    return this.#person!;
  }

  get identity(): ExternalIdentity | undefined {
    return this.#identity;
  }

  get addressUsage(): AddressUsage | undefined {
    return this.#addressUsage;
  }

  /**
   * Names and welcomes the user, then enters these rooms.
   * @param token told to the client, so that it can come back as the same person; not where a cookie does that
   * @param identity where the user has an account elsewhere
   */
  start(user: string, token: string | undefined, rooms: readonly string[], identity?: ExternalIdentity): void {
    const { rateLimiter, sessionExpiry, users, cluster, limits } = this.#services;
    this.#identity = identity;
    if (identity) sessionExpiry.add(this, identity.until);
    this.#personUsage = rateLimiter.person(user);
    this.#addressUsage = this.address === undefined ? undefined : rateLimiter.address(this.address);
    if (rateLimiter.blockedFor(this.#personUsage) > 0) return this.#endFlooding();
    this.#enqueue({}, async () => {
      const held = await this.#admit(user);
      if (!held || this.#ended) return;
      this.#person = users.enter(user, held, this);
      const { name: was } = this.#person;
      if (identity?.name !== undefined) cluster.syncName(this.#person, held, this);
      // That somebody was renamed on another isolate may not have been heard here.
      else if (was !== held.name) cluster.renamedElsewhere({ user, name: held.name, was });
      const welcome: Welcome = { action: "welcome", user, name: this.#person.name, limits };
      if (token !== undefined) welcome.token = token;
      // A frame and a write less for each who arrives in a crowd.
      if (this.connection.batch && rooms.length > 0 && this.#queue!.length > 0) this.#greeting = welcome;
      else this.#answer(welcome);
    });
    for (const room of rooms) this.receive({ action: "join_room", room });
  }

  /**
   * Takes a frame that the client sent, or the reason why what it sent was none. Once the server is to stop it takes
   * none: what is not acknowledged is sent again elsewhere.
   */
  receive(frame: ClientFrame | ChatError, about: About = frame as ClientFrame): void {
    if (this.#ended || this.#services.isDraining()) return;
    if (this.#queue && this.#queue.length + 1 >= BACKLOG) {
      this.#services.rateLimiter.block(this.#personUsage!, this.#addressUsage);
      return this.#endFlooding();
    }
    const refusal = this.#count(rateLimitedActionOf(frame));
    this.#enqueue(about, async () => {
      if (refusal) throw refusal;
      if (frame instanceof ChatError) throw frame;
      const result = await executeCommand(this.#services, this, frame);
      if (result.frame) this.#answer(result.frame);
    });
  }

  greet(): void {
    const greeting = this.#greetingFrames();
    if (greeting.length > 0) this.connection.deliver(new EncodedFrames(...greeting));
  }

  leaveRoom(name: string): void {
    this.receive({ action: "leave_room", room: name });
  }

  countJoin(): void {
    const refusal = this.#count("joins");
    if (refusal) throw refusal;
  }

  async join(room: Room, request: JoinRequest): Promise<void> {
    this.#joining = room;
    try {
      await room.join(this, { ...request, before: () => this.#greetingFrames() });
    } finally {
      this.#joining = undefined;
    }
  }

  track(commit: Promise<Committed>, frame: EntryFrame): void {
    const { room, id } = frame;
    const answered = commit.then(({ entry, repeated, answer }) => {
      if (entry && repeated && this.rooms.has(room)) this.#services.rooms.find(room)?.answer(this, entry);
      if (answer) this.#answer(id === undefined ? answer : { ...answer, id } as ServerFrame);
    }).catch((error) => this.#fail(error, frame));
    const commits = Promise.all([this.#commits, answered]).then(() => {
      if (this.#commits === commits) this.#commits = undefined;
    });
    this.#commits = commits;
  }

  async committed(): Promise<void> {
    await this.#commits;
  }

  /** Ends the connection if its person may not be here any more. */
  endIfBanned(): void {
    // Whoever is still on the way in is checked at the end of it.
    if (!this.#person) return;
    try {
      this.#services.bans.check(this.#person.user, this.address);
    } catch (error) {
      if (!(error instanceof BannedError)) throw error;
      // They are not coming back in a moment, as others are who lost a connection.
      this.#leaveRooms(false);
      this.connection.close(CLOSE.notAllowed, error.message);
    }
  }

  /** The connection is no more. Its person stays in the rooms for a moment: most come back. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { users, sessionExpiry, rateLimiter } = this.#services;
    this.#joining?.leave(this, true);
    this.#leaveRooms(true);
    if (this.#person) users.leave(this);
    sessionExpiry.delete(this);
    rateLimiter.release(this.#personUsage, this.#addressUsage);
    this.#onEnd();
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
      if (error instanceof BannedError) return void this.connection.close(CLOSE.notAllowed, error.message);
      this.connection.close(1011, "The server cannot reach its store. Come back.");
      throw error;
    }
  }

  /** Counts what is asked for. Whoever asks too often is told so, and their connection ends if they go on. */
  #count(action: RateLimitedAction): ChatError | undefined {
    const verdict = this.#services.rateLimiter.check(this.#personUsage!, this.#addressUsage, action);
    if (verdict !== "flooding") return verdict;
    this.#endFlooding();
    return new ChatError("rate_limited", FLOODING);
  }

  #endFlooding(): void {
    this.connection.close(CLOSE.flooding, FLOODING);
  }

  /** @param lost whether its person may be back in a moment */
  #leaveRooms(lost: boolean): void {
    for (const name of this.rooms) this.#services.rooms.find(name)?.leave(this, lost);
  }

  /** Does some work at once, or after all that waits already. */
  #enqueue(about: About, work: () => Promise<void>): void {
    const run = () => {
      if (this.#ended) return this.#next();
      work().catch((error) => this.#fail(error, about)).then(() => this.#next());
    };
    if (this.#queue) return void this.#queue.push(run);
    this.#queue = [];
    run();
  }

  #next(): void {
    const next = this.#queue!.shift();
    if (next) next();
    else this.#queue = undefined;
  }

  #answer(frame: ServerFrame): void {
    if (!this.#ended) this.connection.deliver(new EncodedFrames(...this.#greetingFrames(), frame));
  }

  /** What has to be sent first: the welcome, if it waits. */
  #greetingFrames(): Welcome[] {
    const greeting = this.#greeting;
    this.#greeting = undefined;
    return greeting ? [greeting] : [];
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
