/** Where the reader of each room was, in this tab: it comes back after a reload, or from another room. */
import type { KeyValueStorage } from "../../client/storage.ts";

const PLACE_KEY = "parley.place:";

/** The message at the top of the view, and the pixels from there down to its top; fewer than 0 above. */
export interface ReadingPlace {
  readonly seq: number;
  readonly offset: number;
}

/** @param place null where the newest message is */
export function savePlace(storage: KeyValueStorage, room: string, place: ReadingPlace | null): void {
  storage.write(PLACE_KEY + room, place && JSON.stringify([place.seq, Math.round(place.offset)]));
}

export function loadPlace(storage: KeyValueStorage, room: string): ReadingPlace | null {
  try {
    const [seq, offset]: unknown[] = JSON.parse(storage.read(PLACE_KEY + room) ?? "[]");
    return Number.isSafeInteger(seq) && Number.isFinite(offset)
      ? { seq: seq as number, offset: offset as number }
      : null;
  } catch {
    return null; // something else wrote it
  }
}
