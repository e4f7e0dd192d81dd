import type { Document, Fields } from "../../chat/entries/kind.ts";
import type { Place, RoomRecord, StoredEntry } from "../../chat/rulebook.ts";
import type { StoredMessage } from "../shared/page.ts";

/**
 * Stands for the date of a call's entries. The numbers after it stand for their places. No date and no place is as
 * large. A document may have such a number, so it begins at random: nobody can write what stands for something.
 */
const UNKNOWN = 9_000_000_000_000_000 + Math.floor(7_000_000_000_000 * Math.random());

/**
 * What stands for the place and the date of a call's Nth entry, which only Redis will know. Kinds may put them anywhere
 * into a document, and later commands of the call find them there; they neither compare them nor calculate with them.
 */
export function placeOf(number: number): Place {
  return { seq: UNKNOWN + number, date: UNKNOWN };
}

/**
 * JSON in which a control character, of which JSON has none, stands before what Redis has to fill in: 0 for the date,
 * or the number of the command whose place it is.
 * @param last the number of the last command of which it may know
 */
export function toTemplate(value: unknown, last: number): string {
  return JSON.stringify(value).replace(/"(?:\\.|[^"\\])*"|[\d.]+/g, (textOrNumber) => {
    const number = Number(textOrNumber) - UNKNOWN;
    return number >= 0 && number <= last ? `\x01${number}` : textOrNumber;
  });
}

/** An entry as it is published, in JSON: with the document that it shows, and its erasable fields. */
export type PublishedEntry = [
  seq: number,
  date: number,
  ordinal: number,
  entry: object,
  document: Document | null | undefined,
  erasable: Fields | null | undefined,
];

export function fromPublished([seq, date, ordinal, entry, document, erasable]: PublishedEntry): StoredMessage {
  const stored = { ...entry, seq, date, ordinal } as StoredEntry;
  if (erasable) stored.erasable = erasable;
  return { entry: stored, document: document ?? undefined };
}

/** The same in replies, where entry, document and erasable fields are texts of JSON. */
export type Row = [
  seq: string,
  date: string,
  ordinal: string,
  entry: string,
  document: string | null,
  erasable: string | null,
  replies?: number,
];

export function toStored([seq, date, ordinal, entry, ...more]: Row): StoredMessage {
  const [document, erasable, replies] = more;
  const [shown, own] = [document, erasable].map((json) => JSON.parse(json ?? "null"));
  const stored = fromPublished([Number(seq), Number(date), Number(ordinal), JSON.parse(entry), shown, own]);
  return replies === undefined ? stored : { ...stored, replies };
}

/** A document key as it stands in Redis: its name, a zero byte, of which JSON has none, and its value. */
export function toDocumentKey(key: string): [name: string, value: unknown] {
  const end = key.lastIndexOf("\0");
  return [key.slice(0, end), JSON.parse(key.slice(end + 1))];
}

/** What of an entry never changes, as JSON, without what Redis fills in: place, date and ordinal. */
export function toFixed({ seq: _, date: __, ordinal: ___, erasable: ____, ...fixed }: StoredEntry): string {
  return JSON.stringify(fixed);
}

/** Where a room's log stands. `isNew`: it never had an entry, and it has no epoch of its own. */
export type RecordReply = [seq: number, date: number, messages: number, epoch: string, isNew: number];

export function toRecord([head, date, messages]: RecordReply, locked = false): RoomRecord {
  return { head, date, messages, floor: 0, locked };
}
