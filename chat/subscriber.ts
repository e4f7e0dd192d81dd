import type { EncodedFrames } from "./encoded_frames.ts";
import type { HeldName } from "./storage.ts";

/** The client's side of a session: a socket or an event stream. The chat knows no more of it than this. */
export interface Connection {
  /** Whether it takes many frames as one, so that frames that can wait a moment cost less. */
  readonly batch: boolean;
  /** The name of an event stream, on which its client can ask nothing: it uses requests. */
  readonly stream?: string;
  /** Whether a page can be sent without making it a slow reader. */
  readonly hasRoom: boolean;
  /** Never waits and never throws: a connection that can't keep up is closed instead. */
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

/** One connection of one person: what rooms and `Users` see of a session. */
export interface Subscriber {
  readonly person: Person;
  readonly connection: Connection;
  /** The key of its address, if it has one. */
  readonly address: string | undefined;
  /** The (normalised) names of its rooms. Rooms add and delete their own. */
  readonly rooms: Set<string>;
  /** Sends its welcome now, if that still waits for a page: whatever is about its person follows it. */
  greet(): void;
  /** Leaves a room, which its person asked for without this connection. */
  leaveRoom(name: string): void;
}
