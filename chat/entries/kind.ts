import type { ErrorCode, ReceiveMessage, ServerFrame } from "../protocol.ts";

/** Plain JSON, as stores keep it: no field is named as one of every entry (`seq`, `user`, `date` …). */
export type Fields = Record<string, unknown>;

/** The part of a message that later entries may change. Its words are kept here and nowhere else. */
export interface Document extends Pick<ReceiveMessage, "text" | "edited" | "deleted" | "reactions"> {
  /** How many reactions it was ever given: each gets the next number. Users are not shown it. */
  given?: number;
}

/**
 * What every command has, whatever it asks. A kind adds the fields of its frame. The frame has been checked against its
 * schema, and a `text` in it for its length.
 */
export interface CommandBase {
  action: string;
  room: string;
  user: string;
  /** The user's present name. */
  from: string;
  /** The client's own idempotency key: a second command with it is answered with the first one's entry. */
  id?: string;
  /** The message that it is about. */
  target?: number;
  /** The message that the new one answers. */
  reply_to?: number;
  /** The command is answered if its key was used before. Otherwise it is refused, and nothing is stored. */
  lookupOnly?: true;
  /** The user is a moderator: see `byModerator`. */
  moderator?: true;
}

/**
 * Why a command is refused. `locked`: nobody may do this in this room now. `not_found`: the room does not have the
 * message any more. `forbidden`: the message is somebody else's, or the kind says why. `unavailable`: the store failed,
 * and may or may not have stored the entry. Other codes are a kind's own.
 */
export interface Refused {
  refused: "locked" | Extract<ErrorCode, "forbidden" | "not_found" | "unavailable" | "too_many_reactions">;
  /** A sentence for the user. Absent: `REFUSALS` in `commands.ts` has it. */
  message?: string;
}

/** Why a kind refuses. The page shows its sentence as it is, so the sentence says what is wrong or what to do. */
export interface OwnRefusal extends Refused {
  refused: Exclude<Refused["refused"], "locked" | "unavailable">;
  message: string;
}

/** What `decide` may look at. */
export interface View {
  /**
   * The message that the command is about, or that it answers. The room still has it, and nobody has deleted it.
   */
  readonly target?: { readonly seq: number; readonly user: string; readonly document: Document };
  /** Whether the room is locked, for kinds that are allowed there and not in all they ask. */
  readonly locked: boolean;
  /** The value of a document key of that message; undefined unless the kind's `keys` names it. */
  key(name: string): unknown;
  /** All document keys of that message that begin so; none unless the kind's `lists` names the beginning. */
  list(prefix: string): Iterable<readonly [name: string, value: unknown]>;
}

/**
 * What `decide` returns: the new entry's fields as users see them, and the document keys that change (null removes
 * one). A document key belongs to the target message and keeps, for example, who voted for what, so that the document
 * stays small however many people vote. Keys belong to one kind: two kinds may use the same name and don't see each
 * other's values. So one kind both sets and takes back.
 */
export type Decision = Change | OwnRefusal;

/** An entry, or none: see `Decision`. */
export interface Change {
  /** Undefined: all that is asked for is so already, and no entry is made. */
  fields: Fields | undefined;
  keys?: Record<string, unknown>;
  /** The message's new document, where `apply` can't know all of it from the entry alone. */
  document?: Document;
  /** By part of a command that was made of several (see `Kind.merge`): why that part is left out, if it is. */
  refusals?: readonly (Refused | undefined)[];
}

/**
 * A kind of entry: how its command becomes an entry, what the entry changes, and how it is shown. All functions are
 * pure. The page loads them too, and applies live entries with the function that made the server's history.
 *
 * Each field that `decide` returns is named in `fixed` or in `erasable`, or comes back from `begin` or `apply` through
 * `present`. A field that is in none of them would be in the live entry and missing later; `rulebook_test.ts` finds it.
 */
export interface Kind<Command extends CommandBase = CommandBase, Told extends { action: string } = { action: string }> {
  /** The action of the frame that asks for it. */
  readonly asks: Command["action"];
  /** The action of its entries. */
  readonly tells: Told["action"];
  /** The rate limit against which a command counts. */
  readonly countsAs: "messages" | "signals";
  /** Whose messages it may change: only one's own, or anybody's. Absent: it is about no message. */
  readonly who?: "author" | "anyone";
  /** A moderator may do it to anybody's message. */
  readonly byModerator?: true;
  /** Whether it is allowed in a locked room. */
  readonly whileLocked: boolean;
  /** Fields that are kept with the entry and never removed. */
  readonly fixed?: readonly (keyof Told & string)[];
  /** Fields that are kept with the entry, and removed when its message is erased or when it expires itself. */
  readonly erasable?: readonly (keyof Told & string)[];
  /** What is shown in place of what is `erasable` and was removed: a value for each field that its entry always has. */
  readonly whenErased?: Fields;
  /** The document keys of the target message that `decide` reads. */
  keys?(command: Command): readonly string[];
  /**
   * The beginnings of document keys of which `decide` reads all. That takes long where there are many, so the function
   * is told the document, and names only what is needed.
   */
  lists?(command: Command, document: Document): readonly string[];
  /**
   * Makes one command of several about the same message, so that they become one entry. Each is a part of the new one,
   * in the order of `Change.refusals`. `decide` is given that, or a command that came alone.
   *
   * Entries of such a kind have no user and no idempotency key: its own fields say whose each part is, and to ask for
   * the same again must change nothing. It has a `who`, and an `answer`, or nobody is told that the own part is stored.
   */
  merge?(commands: readonly Command[]): CommandBase;
  /**
   * The frame that the asker alone is sent once it is stored, or was so before, with the `id` of the request. The
   * function is given the asker's own command, before `merge`. Absent: the entry is the answer.
   */
  answer?(command: Command): ServerFrame;
  decide(command: Command, view: View): Decision;
  /**
   * The document that its entries begin. Entries that begin one are messages: pages of history show them, slow mode
   * holds them back, and retention counts them. Such a kind is about no message (no `who`), and keeps what can be
   * erased in its document (no `erasable`).
   */
  begin?(fields: Fields): Document;
  /**
   * The target message's document after this entry, as far as the entry tells it. The function returns a new object and
   * leaves `document` as it is.
   *
   * - Fields of the entry may be missing. A browser applies entries of which what is `erasable` has been removed, and
   *   the result must be a document all the same.
   * - `entry.seq` and `entry.date` may only be kept (`edited: date`). They must not be compared or computed with: a store
   *   may call the function before it knows the two, with numbers that stand in for them, and replace those in the
   *   document's JSON.
   */
  apply?(document: Document, entry: Told): Document;
  /**
   * It erases its message: the document keys and what is `erasable` of all entries about the message are removed. Such
   * a kind has nothing erasable itself.
   */
  readonly erases?: true;
  /** Its entries show the message's words, so the document is kept for as long as they are. Other entries don't. */
  readonly showsWords?: true;
  /** The part of its document that a message in a catch-up shows. The entries that follow it bring the rest. */
  inCatchUp?(document: Document): Document;
  /**
   * The fields that are read from the document, its own or its message's; undefined: the room does not have that any
   * more.
   */
  present?(document: Document | undefined): Fields;
}

/** Any kind, whatever fields its commands and entries have. Only the rulebook calls its functions. */
export type AnyKind = Omit<Kind<never, never>, "asks" | "tells"> & { readonly asks: string; readonly tells: string };
