import type { Document, Fields } from "../../chat/entries/kind.ts";
import type { StoredEntry } from "../../chat/rulebook.ts";
import type { StoredMessage } from "../shared/page.ts";

/** A row of `entries`, as far as `COLUMNS` has it. */
export interface EntryRow {
  seq: number;
  date: number;
  ordinal: number;
  action: string;
  user: string;
  id: string | null;
  target: number | null;
  fixed: string | null;
  erasable: string | null;
}

/** What `toStored` needs of `entries`, joined with `ACTIONS`. */
export const COLUMNS = `entries.seq, entries.date, entries.ordinal, actions.name AS action, entries.user, entries.id,
  entries.target, entries.fixed, entries.erasable`;
export const ACTIONS = "JOIN actions ON actions.action = entries.action";
/** What `stored` needs of a message. */
export const MESSAGE = `${COLUMNS}, entries.document,
  (SELECT count(*) FROM entries AS answer WHERE answer.room = entries.room AND answer.answers = entries.seq) AS replies`;

/** @param rows as SQLite gives them: `COLUMNS` and a document, or `MESSAGE` */
export function* stored(rows: Iterable<unknown>): Generator<StoredMessage> {
  for (const row of rows) {
    const { document, replies } = row as { document: string | null; replies?: number };
    yield { entry: toStored(row)!, document: parse<Document>(document), replies };
  }
}

/** @param row as SQLite gives it: an `EntryRow`, or none */
export function toStored(row: unknown): StoredEntry | undefined {
  if (row === undefined) return undefined;
  const { seq, date, ordinal, action, user, id, target, fixed, erasable } = row as EntryRow;
  const entry: StoredEntry = { seq, date, ordinal, action, user };
  if (id !== null) entry.id = id;
  if (target !== null) entry.target = target;
  if (fixed !== null) entry.fixed = parse<Fields>(fixed);
  if (erasable !== null) entry.erasable = parse<Fields>(erasable);
  return entry;
}

export function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

export function parse<Value>(text: string | null | undefined): Value | undefined {
  return text === null || text === undefined ? undefined : JSON.parse(text);
}
