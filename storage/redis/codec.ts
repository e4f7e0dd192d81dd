import type { Document, Fields } from "../../chat/entries/kind.ts";
import type { Place, RoomRecord, StoredEntry } from "../../chat/rulebook.ts";
import type { StoredMessage } from "../shared/page.ts";

/** What stands for the date of a call's entries, and counted from there for their places. No date and no place is as large. */
const UNKNOWN = 9_000_000_000_000_000;

/**
 * What stands for the place and the date of a call's Nth entry, which only Redis will know. Kinds may put them anywhere into a
 * document, and later commands of the call find them there; they neither compare them nor calculate with them.
 */
export function placeOf(number: number): Place {
  return { seq: UNKNOWN + number, date: UNKNOWN };
}

/**
 * JSON in which a control character, of which JSON has none, stands before what Redis has to fill in: 0 for the date, or the
 * number of the command whose place it is.
 * @param last the number of the last command of which it may know
 */
export function toTemplate(value: unknown, last: number): string {
  return JSON.stringify(value).replace(/"(?:\\.|[^"\\])*"|[\d.]+/g, (textOrNumber) => {
    const number = Number(textOrNumber) - UNKNOWN;
    return number >= 0 && number <= last ? `\x01${number}` : textOrNumber;
  });
}

/** An entry with the document that it shows, and what is erasable of it. */
export type Row = [
  seq: string,
  date: string,
  ordinal: string,
  entry: string,
  document: string | null,
  erasable: string | null,
];

/** Where a room stands. */
export type RecordReply = [seq: string, date: string, messages: string, epoch: string, isNew: number];

export function toRecord([seq, date, messages]: RecordReply, locked = false): RoomRecord {
  return { head: Number(seq), date: Number(date), messages: Number(messages), floor: 0, locked };
}

export function toStored([seq, date, ordinal, entry, document, erasable]: Row): StoredMessage {
  const stored = placed(JSON.parse(entry), seq, date, ordinal);
  if (erasable) stored.erasable = JSON.parse(erasable);
  return { entry: stored, document: document ? JSON.parse(document) : undefined };
}

/** An entry as it is published: the same as a row, as JSON. */
export type PublishedEntry = [
  seq: number,
  date: number,
  ordinal: number,
  entry: object,
  document: Document | null,
  erasable: Fields | null,
];

export function fromPublished([seq, date, ordinal, entry, document, erasable]: PublishedEntry): StoredMessage {
  const stored = placed(entry, seq, date, ordinal);
  if (erasable) stored.erasable = erasable;
  return { entry: stored, document: document ?? undefined };
}

/** What is remembered under an idempotency key once its entry is gone. */
export function remembered(value: string): StoredEntry | undefined {
  const [, seq, date, ordinal, entry] = /^(\d+) (\d+) (\d+) (.+)$/s.exec(value) ?? [];
  return entry === undefined ? undefined : placed(JSON.parse(entry), seq, date, ordinal);
}

/** What of an entry never changes, without its place. */
export function toFixed({ seq: _, date: __, ordinal: ___, erasable: ____, ...fixed }: StoredEntry): string {
  return JSON.stringify(fixed);
}

function placed(entry: object, seq: string | number, date: string | number, ordinal: string | number): StoredEntry {
  return { ...entry as StoredEntry, seq: Number(seq), date: Number(date), ordinal: Number(ordinal) };
}
