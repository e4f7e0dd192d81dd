/**
 * A term as the index in the file has it: a number of 32 bits, in digits and letters. FTS5 overwrites what is taken out,
 * except in the table that says on which page which terms begin: there beginnings of words would stay that are deleted.
 * Terms that share a number find too much, which the matcher sees.
 */
export function termNumber(term: string): string {
  // FNV-1a, by UTF-16 units.
  let hash = 0x811c9dc5;
  for (let at = 0; at < term.length; at++) hash = Math.imul(hash ^ term.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}
