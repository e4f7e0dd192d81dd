import type { ReceiveMessage } from "../protocol.ts";

/** Plain JSON, as stores keep it. */
export type Fields = Record<string, unknown>;

/** What of a message later entries may change: the only place where its words stand. */
export type Document = Pick<ReceiveMessage, "text" | "edited" | "deleted">;

/** What is asked, by a person who may ask it and whose frame has been checked. */
export interface CommandBase {
  action: string;
  room: string;
  user: string;
  /** What the person is called now. */
  from: string;
  /** The client's own key: a command whose key was seen is answered with the first one's entry. */
  id?: string;
  /** The message that it is about. */
  target?: number;
  /** Answered if it was kept before, and not kept now. */
  lookupOnly?: true;
  /** It may be anybody's message, also in a locked room. */
  moderator?: true;
}

/**
 * Why a command is refused. `locked`: nobody may do this in this room now. `not_found`: its message is not there any more.
 * `forbidden`: its message is somebody else's. `unavailable`: the store does not know whether it has kept it.
 */
export interface Refused {
  refused: "locked" | "forbidden" | "not_found" | "unavailable";
  /** A sentence for whoever asked, where the rules for all kinds have none. */
  message?: string;
}

/** Why a kind refuses. People are shown its sentence as it is, so it says what is wrong or what to do. */
export interface OwnRefusal extends Refused {
  refused: "forbidden" | "not_found";
  message: string;
}

/** What a kind's rule may look at. */
export interface View {
  /** The message that the command is about: it is held, and it has not been deleted. */
  readonly target?: { readonly seq: number; readonly user: string; readonly document: Document };
  /** What stands under a key of that message; only what the kind's `keys` names can be seen. */
  key(name: string): unknown;
}

/**
 * What becomes of a command: the new entry's fields as they are told, and the keys of the target message that change with
 * it (null removes one), such as who voted for what: a document stays small, however many people do something to it.
 */
export type Decision = { fields: Fields; keys?: Record<string, unknown> } | OwnRefusal;

/**
 * A kind of entry: what its command becomes, what that changes, and how it is shown. All functions are pure, and the page
 * loads them too: it applies what comes live with the function that made the server's history.
 */
export interface Kind<Command extends CommandBase = CommandBase, Told extends { action: string } = { action: string }> {
  /** The action that asks for it, and the one by which it is told. */
  readonly asks: Command["action"];
  readonly tells: Told["action"];
  /** What asking for it counts as, for rate limits. */
  readonly countsAs: "messages" | "signals";
  /** Whose messages it may be done to: only one's own, or anybody's. Absent where it is about no message. */
  readonly who?: "author" | "anyone";
  /** Whether a moderator may do it to anybody's. */
  readonly byModerator?: true;
  /** Whether it may be done in a locked room. */
  readonly whileLocked: boolean;
  /** Of its fields those that are kept with the entry for good. */
  readonly fixed?: readonly (keyof Told & string)[];
  /** Of its fields those that are kept until its message is erased. */
  readonly erasable?: readonly (keyof Told & string)[];
  /** The keys of the target message that `decide` looks at. */
  keys?(command: Command): readonly string[];
  decide(command: Command, view: View): Decision;
  /**
   * The document that its entries begin, which makes messages of them: they are in pages of history, and are counted. Such
   * a kind is about no message (no `who`), and all that can be erased of it stands in its document (no `erasable`).
   */
  begin?(fields: Fields): Document;
  /**
   * What it makes of the document of the message that it is about, which it leaves as it was. It runs in browsers too, where
   * what is erasable of the entry may be missing.
   */
  apply?(document: Document, entry: Told): Document;
  /** Whether it erases its message: whatever belongs to that, but for the document that `apply` gives, is removed. */
  readonly erases?: true;
  /**
   * Whether it shows its message's words, which are then kept for as long as it is. Other entries are shown without them.
   */
  readonly showsWords?: true;
  /** What of its document a message of a catch-up shows: what later entries make of the rest is told by themselves. */
  inCatchUp?(document: Document): Document;
  /** What of an entry is read off the document, its own or its message's; undefined where that is not held any more. */
  present?(document: Document | undefined): Fields;
}

/** A kind of which only the rulebook knows what it takes. */
export type AnyKind = Omit<Kind<never, never>, "asks" | "tells"> & { readonly asks: string; readonly tells: string };
