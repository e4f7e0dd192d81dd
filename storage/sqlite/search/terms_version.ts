import process from "node:process";
import type { DatabaseSync } from "node:sqlite";
import { TERMS_VERSION } from "../../../chat/search/terms.ts";

/**
 * What terms are made of a text depends on our code, and on what Unicode's tables say of its characters; the first number
 * on how `term_number.ts` writes them.
 */
const VERSION = `2 ${TERMS_VERSION} ${process.versions.unicode}`;

/** Empties the index, so that it is built again in the background. */
export const EMPTY_INDEX = `
  INSERT INTO words (words) VALUES ('delete-all');
  DELETE FROM words_to_remove;
  UPDATE rooms SET unindexed = head;
`;

/** Nothing counts as indexed, nor does what will be said: searches look at the messages themselves. */
export const LEAVE_INDEX = "UPDATE rooms SET unindexed = 4294967295";

/** Whether an error of SQLite says that the file, or the index in it, makes no sense. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && /malformed|corrupt/.test(error.message);
}

/**
 * Empties an index whose terms another version has made: this one would not find them, nor take them out. In a
 * transaction of its own, which it may begin again.
 */
export function renewIndex(file: DatabaseSync): void {
  const made = file.prepare("SELECT value FROM meta WHERE key = 'terms'").get();
  if (made?.value === VERSION) return;
  try {
    if (made) file.exec(EMPTY_INDEX);
  } catch (error) {
    if (!isBroken(error)) throw error;
    // After that FTS5 lets nothing more be written in the same transaction.
    file.exec(`ROLLBACK; BEGIN IMMEDIATE; ${LEAVE_INDEX}`);
    return;
  }
  file.prepare("INSERT OR REPLACE INTO meta VALUES ('terms', ?)").run(VERSION);
}
