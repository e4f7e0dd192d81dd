import type { Member } from "../protocol.ts";
import { CLUSTER_EVENT_BYTES, type PresenceChange } from "../storage.ts";

/** Bytes of an event that are left for a list, beside its other fields: a room's name, ids and numbers. */
const LIST_BYTES = CLUSTER_EVENT_BYTES - 1024;

/**
 * Bytes of a text in an event, with quotes and a comma, at most: 3 a unit of UTF-16, or 2 for one that JSON escapes, as
 * all names are checked.
 */
export function textBytes(text: string): number {
  return 3 * text.length + 3;
}

/** Bytes of a change in an event, at most: an array of two texts. */
export function changeBytes([user, name = ""]: PresenceChange): number {
  return textBytes(user) + textBytes(name) + 3;
}

/** Bytes of a person in an event, at most: `{"user":,"name":}` stands around them. */
export function memberBytes({ user, name }: Member): number {
  return textBytes(user) + textBytes(name) + 18;
}

/** Splits a list so that each part fits into one event, in its order. An empty list has no parts. */
export function* partsThatFit<Item>(items: Iterable<Item>, bytesOf: (item: Item) => number): Generator<Item[]> {
  let part: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (part.length > 0 && bytes + size > LIST_BYTES) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(item);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
