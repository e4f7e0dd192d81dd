import type { EncodedFrames } from "./encoded_frames.ts";
import type { HeldName } from "./storage.ts";

/** The far end of a session: a socket or an event stream. The chat knows no more of it than this. */
export interface Connection {
  /** Whether it takes many frames as one: then frames that can wait a moment cost less. */
  readonly batch: boolean;
  /** The name of an event stream. Its client can ask nothing on it, and asks elsewhere. */
  readonly stream?: string;
  /** Whether a page may be sent without making a slow reader of it. */
  readonly hasRoom: boolean;
  /** Never waits and never throws: a connection that can't keep up ends its session instead. */
  deliver(delivery: EncodedFrames): void;
  /** Ends the session first, then the connection. */
  close(code: number, reason: string): void;
}

/** Someone who is connected here, with all of their connections. */
export interface Person extends HeldName {
  readonly user: string;
  readonly sessions: Set<Subscriber>;
  /** When others were last told that they are typing, milliseconds since 1970. */
  typedAt: number;
}

/** One connection of one person, as rooms and the lists of people see it: a session shows them no more than this. */
export interface Subscriber {
  readonly person: Person;
  readonly connection: Connection;
  /** The key of the address from which it comes, where there is one. */
  readonly address: string | undefined;
  /** The (normalised) names of the rooms that it is in. The rooms add and delete their own. */
  readonly rooms: Set<string>;
  /** Its person leaves this room, having said so without this connection. */
  leaveRoom(name: string): void;
}
