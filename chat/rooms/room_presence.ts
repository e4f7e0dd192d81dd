import type { Members } from "./members.ts";

/** What rooms tell the presence of other isolates. */
export interface RoomPresence {
  /** The room is in memory now, and has subscribed to its log. */
  opened(name: string, members: Members): void;
  closed(name: string): void;
  /** A person is now connected here in the room, or no longer is, or has another name. */
  changed(name: string, user: string): void;
  /** Something may have been missed in the room. */
  mayHaveMissed(name: string): void;
}
