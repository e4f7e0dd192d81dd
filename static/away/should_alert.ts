import type { Level } from "./settings.ts";

export interface AlertCase {
  /** What the reader wishes to be told about in the message's room. */
  level: Level;
  /** Whether the message mentions the reader. */
  mention: boolean;
  isRoomMuted: boolean;
  isAuthorMuted: boolean;
  /** Whether any tab of the page can be seen: there the list of rooms shows what is new. */
  isPageVisible: boolean;
  /** Whether the reader has turned notifications on, and the browser permits them. */
  mayNotify: boolean;
  /** Whether the reader has turned the sound on. It does not depend on notifications. */
  mayChime: boolean;
}

/** Whether a message that the reader has not seen is worth a notification, and a sound. */
export function shouldAlert(
  { level, mention, isRoomMuted, isAuthorMuted, isPageVisible, mayNotify, mayChime }: AlertCase,
): { notify: boolean; chime: boolean } {
  const isWished = level === "everything" || level === "mentions" && mention;
  const isAlert = isWished && !isRoomMuted && !isAuthorMuted && !isPageVisible;
  return { notify: isAlert && mayNotify, chime: isAlert && mayChime };
}
