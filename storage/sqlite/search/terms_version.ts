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

/** Empties an index whose terms another version has made: this one would not find them, nor take them out. */
export function renewIndex(file: DatabaseSync): void {
  const made = file.prepare("SELECT value FROM meta WHERE key = 'terms'").get();
  if (made?.value === VERSION) return;
  if (made) file.exec(EMPTY_INDEX);
  file.prepare("INSERT OR REPLACE INTO meta VALUES ('terms', ?)").run(VERSION);
}
