/**
 * The one idea: a room is an append-only log. This file says what a storage must do, and `storage/contract_test.ts`
 * shows that each storage does it.
 */
import type { AppendResult } from "./rulebook.ts";
import type { CommandBase } from "./entries/kind.ts";
import type { EntryFrame } from "./entries/kinds.ts";
import type { Entry, Member, Position, ReceiveMessage } from "./protocol.ts";
import type { SearchQuery } from "./search/query.ts";

/** What is to be appended: a person's frame, which has been checked. */
export type Command = EntryFrame & CommandBase;

/** Messages in their present state, oldest first. `seq` is the head. `more`: there are messages beyond the page. */
export interface History extends Position {
  messages: ReceiveMessage[];
  more: boolean;
}

/**
 * At most `limit` messages: the newest ones, the newest before `before`, or the oldest after `after` (not both). With
 * `repliesTo`, the oldest after `after` of those that answer this message, without deleted ones.
 */
export interface HistoryQuery {
  limit: number;
  before?: number;
  after?: number;
  repliesTo?: number;
}

/** One of a message's document keys, by the name under which stores keep it: see `documentKey` in `rulebook.ts`. */
export type DocumentKey = readonly [seq: number, name: string];

/** At most `limit` document keys of a message: the first ones that begin with `prefix`, behind `after` if it is given. */
export interface KeysQuery {
  seq: number;
  prefix: string;
  after?: string;
  limit: number;
}

/** At most `limit` messages that match, of one person if `user` is given: the newest ones, or the newest before `before`. */
export interface SearchRequest {
  query: SearchQuery;
  user?: string;
  before?: number;
  limit: number;
}

/**
 * Messages that match, in their present state, oldest first. `seq` is the head. `more`: not all messages have been
 * looked at, and `before` is where to go on. Both may be with no message at all, if looking took too long.
 */
export interface SearchResult extends Position {
  messages: ReceiveMessage[];
  more: boolean;
  before?: number;
}

/** Entries in order. `seq` is the head. `complete`: they are all entries between the place asked for and the head. */
export interface CatchUp extends Position {
  entries: Entry[];
  complete: boolean;
}

/**
 * What is new in a room. Without entries it says that something may have been missed, or that the epoch is another one:
 * subscribers read the log from where they are.
 */
export interface LogNotification {
  epoch: string;
  entries: readonly Entry[];
}

/** Bytes of JSON in one page: far below what may wait for a socket, so that no page makes its reader too slow. */
export const PAGE_BYTES = 128 * 1024;

export interface MessageLog {
  /**
   * Appends what the commands ask for, in order and all at once, and notifies subscribers. Results are in the same
   * order. Nobody is told of an entry that a crash could still take back.
   * @throws {ChatError} `unavailable`: the entries may or may not have been stored, and nobody has been told of any
   */
  append(commands: readonly Command[]): Promise<AppendResult[]>;

  /** A page of history. It ends at `PAGE_BYTES`. @throws {ChatError} `unavailable` */
  history(room: string, query: HistoryQuery): Promise<History>;

  /**
   * The values of document keys, in the same order; undefined where there is none.
   * @throws {ChatError} `unavailable`
   */
  keys(room: string, wanted: readonly DocumentKey[]): Promise<unknown[]>;

  /**
   * Document keys of a message with their values, in the order of their names (by code units or bytes: each store has
   * one order and keeps to it).
   * @throws {ChatError} `unavailable`
   */
  listKeys(room: string, query: KeysQuery): Promise<[name: string, value: unknown][]>;

  /**
   * Finds messages: as far as that can be done in a short time, and on a page that ends at `PAGE_BYTES`.
   * @throws {ChatError} `unavailable`, also while too many search
   */
  search(room: string, request: SearchRequest): Promise<SearchResult>;

  /**
   * What came after `after`, at most `RESUME_LIMIT` entries and `PAGE_BYTES`.
   * @throws {ChatError} `unavailable`
   */
  read(room: string, after: number): Promise<CatchUp>;

  /**
   * Tells the listener what is new in the room, in order. A subscriber then asks for a page: what is in it is not told.
   * @returns ends the subscription
   */
  subscribe(room: string, listener: (notification: LogNotification) => void): () => void;
}

/**
 * What other isolates and machines should know now, and nobody needs later: plain JSON of at most
 * `CLUSTER_EVENT_BYTES`. It may get lost: what matters is found out without it.
 */
export type ClusterEvent =
  | { kind: "typing"; room: string; user: string; name: string }
  | { kind: "name_changed"; user: string; name: string; was: string }
  | { kind: "room_changed"; room: string; settings: RoomSettings }
  | { kind: "bans_changed" }
  | { kind: "asked" } & RemoteCommand
  | PresenceEvent
  | QuestionEvent
  | AnswerEvent;

/** The room that an event is about; undefined: all isolates have to know it. */
export function roomOf(event: ClusterEvent): string | undefined {
  return "room" in event ? event.room : undefined;
}

/**
 * Who is where. `from` is the instance that tells or asks: an isolate of any machine. `version` is the number of its
 * last change in a room, 0 while nobody is connected to it there; see `cluster/remote_presence.ts`.
 */
export type PresenceEvent =
  & { kind: "presence"; from: string }
  & (
    /** `asks`: it has just started, and asks who else lives. */
    | { presence: "alive"; asks?: boolean }
    | { presence: "leaving" }
    | { presence: "update" } & PresenceUpdate
    /** Asks one instance for its people in these rooms, of which the asker knows this version. `room` is its inbox. */
    | { presence: "check"; room: string; rooms: [room: string, version: number][] }
    /** Answers. `room` is the asker's inbox, or the room that all of it is about. */
    | { presence: "people"; room: string; rooms: PresencePart[] }
  );

/** What has changed in a room since the version `after`; after 0 it is everyone. */
export interface PresenceUpdate {
  room: string;
  after: number;
  version: number;
  changes: PresenceChange[];
  /** Asks all who have people in the room for them. */
  asks?: boolean;
  /** By instance, the version that the asker knows: whoever has no other one answers only that it is still right. */
  known?: Record<string, number>;
}

/** The people of an instance in a room. Without `people` the asker knows them: the version is still right. */
export interface PresencePart {
  room: string;
  version: number;
  people?: PresenceChange[];
  /** How many people the parts before this one had. */
  at?: number;
  /** There are parts after this one. */
  more?: boolean;
}

/** User and name of someone who has come; without the name, of someone who has gone. */
export type PresenceChange = [user: string, name?: string];

/** What an instance asks about rooms and people that it does not hold, and what it is answered. */
export type QuestionEvent = { kind: "question"; from: string; id: number } & Question;
export type Question =
  | { about: "counts"; rooms: string[] }
  | { about: "person"; user: string }
  | { about: "people"; room: string; after: string; limit: number };

/** `room` is the asker's inbox. */
export type AnswerEvent = { kind: "answer"; room: string; from: string; id: number } & Answer;

export interface Answer {
  counts?: [room: string, count: number][];
  isHere?: boolean;
  page?: { people: Member[]; more: boolean; count: number };
}

/** What a person asks, without a connection to ask on, about connections of theirs that any isolate may hold. */
export type RemoteCommand =
  | { asked: "typing"; user: string; room: string }
  /** `stream`: only the event stream of this name; absent: all of this person's event streams in the room. */
  | { asked: "leave"; user: string; room: string; stream?: string };

/** Bytes of JSON in one event: what fits into one value of every store. */
export const CLUSTER_EVENT_BYTES = 32 * 1024;

/** What a moderator has set for a room. */
export interface RoomSettings {
  /** Nobody may send. */
  locked: boolean;
  /** The list of rooms has it. */
  listed: boolean;
  /** Least seconds between two messages of one person; 0: none. */
  slow_seconds: number;
}

/** The settings of a room that nobody has set. */
export const ROOM_SETTINGS: RoomSettings = { locked: false, listed: false, slow_seconds: 0 };

/** A user who may not connect, and what a moderator has noted. */
export interface Ban {
  user: string;
  /** Milliseconds since 1970; when it was made, and when it is over. */
  date: number;
  until: number;
  /** For moderators only. */
  reason: string;
  /**
   * A keyed hash of the address that is banned too; empty until the address is known; absent: only the user is banned.
   */
  address?: string;
}

/** What moderators have decided. It outlives restarts, and holds on every isolate and machine. */
export interface Moderation {
  /** @throws {ChatError} `unavailable` */
  settings(room: string): Promise<RoomSettings>;
  /**
   * Changes what is given and keeps the rest, in one write. From its end on no append to a locked room is kept.
   * @returns the settings as they are now
   * @throws {ChatError} `unavailable`
   */
  change(room: string, change: Partial<RoomSettings>): Promise<RoomSettings>;
  /**
   * The rooms that are listed, by name, with the head and the date of the newest entry (0 where there is none).
   * @throws {ChatError} `unavailable`
   */
  listed(): Promise<ListedPosition[]>;
  /**
   * Keeps a ban, in place of one that this user had.
   * @throws {ChatError} `unavailable`
   */
  ban(ban: Ban): Promise<void>;
  /** @returns whether this user was banned @throws {ChatError} `unavailable` */
  unban(user: string): Promise<boolean>;
  /** The bans that are not over at `now`, the latest first. @throws {ChatError} `unavailable` */
  bans(now: number): Promise<Ban[]>;
}

/** A listed room: the head of its log, and the date of the newest entry. */
export interface ListedPosition {
  room: string;
  seq: number;
  date: number;
}

export interface HeldName {
  name: string;
  /** Whether the person chose it. A name that the server gave becomes free sooner. */
  chosen: boolean;
}

/** A name that somebody may get. `key` is the same for all names that look alike. */
export interface NameCandidate {
  name: string;
  key: string;
}

/** A name that a user has chosen. `until` and `now` are milliseconds since 1970. */
export interface NameClaim extends NameCandidate {
  user: string;
  until: number;
  now: number;
}

/** Names of which a user may get one, if they have none: the first that is free. */
export interface NameOffer {
  user: string;
  candidates: readonly NameCandidate[];
}

/** Who holds a name that somebody else asked for, and until when unless they come back; milliseconds since 1970. */
export interface NameHolder {
  holder: string;
  until: number;
}

/** How long a given name is remembered after its time is over, milliseconds: who is back by then gets it again. */
export const GIVEN_NAME_MEMORY = 30 * 24 * 60 * 60 * 1000;

/** Who is called what. */
export interface NameRegistry {
  /**
   * Gives a user the name that they have chosen, in one conditional write, unless somebody else holds one with the same
   * key. The user's old name becomes free.
   * @returns what the user is called now, or who holds the name that they asked for
   * @throws {ChatError} `unavailable`
   */
  claim(claim: NameClaim): Promise<HeldName | NameHolder>;
  /**
   * Gives each of some users a name, as a given one. Who has a name, even one whose time is over, keeps it. It is held
   * until `until` at least, milliseconds since 1970, as `now`.
   * @returns what each is called now, in the same order; undefined for whom no name was free
   * @throws {ChatError} `unavailable`: some of them may have got a name
   */
  give(offers: readonly NameOffer[], until: number, now: number): Promise<(HeldName | undefined)[]>;
  /**
   * Holds the names of these users until `until` at least, milliseconds since 1970.
   * @throws {ChatError} `unavailable`
   */
  hold(holds: readonly { user: string; until: number }[]): Promise<void>;
}

/** A storage: of one process, or shared by several isolates and machines. */
export interface Storage extends MessageLog {
  readonly names: NameRegistry;
  readonly moderation: Moderation;
  /**
   * Begins another epoch of a room's log, or of every room's, and tells subscribers. A backup that was put back needs
   * it: entries that somebody has seen may be gone, and other entries will get their places.
   * @throws {ChatError} `unavailable`
   */
  renewEpoch(room?: string): Promise<void>;

  /** The key that signs tokens: made once, the same on every isolate and after every restart. */
  secret(): Promise<string>;

  /**
   * Passes an event to other isolates and machines, never back to this one. Never throws; it may get lost. An event with
   * a `room` reaches at least the isolates that subscribe to that room's log; one without a room reaches all. What is
   * published after `subscribe` returned is published once that subscription is active.
   */
  publish(event: ClusterEvent): void;
  /**
   * Sets the listener to events of the others. Those of one isolate about the same room come in the order in which it
   * published them, and so do those without a room.
   */
  onEvent(listener: (event: ClusterEvent) => void): void;

  /**
   * How often notifications of what others had written did not come, so that subscribers were made to read the log.
   * Counted since the start.
   */
  readonly missedNotifications: number;

  /**
   * Resolves if the store answers, can be written, and tells this process what others write.
   * @throws {ChatError} `unavailable` if not
   */
  check(): Promise<void>;

  /** Finishes what is being written and closes the store. No function may be called afterwards. */
  close(): Promise<void>;
}
