import type { Document } from "../../chat/entries/kind.ts";
import { type ReceiveMessage, RESUME_LIMIT } from "../../chat/protocol.ts";
import type { RoomRecord, Rulebook, StoredEntry } from "../../chat/rulebook.ts";
import { type CatchUp, type History, PAGE_BYTES } from "../../chat/storage.ts";

const encoder = new TextEncoder();

/** An entry, with its own document or that of the message that it is about. */
export interface StoredMessage {
  entry: StoredEntry;
  document: Document | undefined;
  /** How many answers it has, in pages of history. */
  replies?: number;
}

/** What is needed to show a room's entries as they are at this moment. */
export interface Reading {
  room: string;
  record: RoomRecord;
  rules: Rulebook;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * A page of history.
 * @param rows the room's messages from where the page begins: oldest first, or newest first if `isBackwards`
 */
export function historyPage(
  rows: Iterable<StoredMessage>,
  { room, record, rules, now, limit, isBackwards }: Reading & { limit: number; isBackwards: boolean },
): Pick<History, "messages" | "more"> {
  const { page, more } = fillPage(shown(), limit);
  return { messages: isBackwards ? page.reverse() : page, more };

  function* shown(): Generator<ReceiveMessage> {
    for (const { entry, document, replies } of rows) {
      if (rules.isHeld(entry, record, now)) {
        if (rules.isMessage(entry)) yield rules.present(entry, document, room, { replies }) as ReceiveMessage;
      } // What is older has expired too.
      else if (isBackwards) return;
    }
  }
}

/**
 * What follows `after`.
 * @param rows the room's entries after `after`, in order. Those after the record's head, which were written since, are
 * left out
 */
export function catchUp(
  rows: Iterable<StoredMessage>,
  { room, record, rules, now, after }: Reading & { after: number },
): Pick<CatchUp, "entries" | "complete"> {
  const { page } = fillPage(shown(), RESUME_LIMIT);
  return { entries: page, complete: page.length === record.head - after };

  function* shown() {
    for (const { entry, document } of rows) {
      if (entry.seq > record.head) return;
      if (rules.isHeld(entry, record, now)) yield rules.present(entry, document, room, { isCatchUp: true });
    }
  }
}

/**
 * Takes rows for one page: at most `limit`, at most `PAGE_BYTES` of JSON, but one at least.
 * `more`: there are rows that it does not have.
 */
export function fillPage<Row>(rows: Iterable<Row>, limit: number): { page: Row[]; more: boolean } {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (page.length === limit) return { page, more: true };
    bytes += encoder.encode(JSON.stringify(row)).length;
    if (bytes > PAGE_BYTES && page.length > 0) return { page, more: true };
    page.push(row);
  }
  return { page, more: false };
}
