/** Pasted text that may be meant as a block of code. */

/** Lines beyond which any text may be a block, and beyond which one that looks like code may. */
const [MANY_LINES, LINES_OF_CODE] = [10, 5];
/** What share of the lines has to look like code. */
const SHARE = 0.4;
const LINE_OF_CODE = /^(?: {2,}|\t)|[;{}()[\],:>\\]$|=>|<\/|^\s*(?:[$#>] |\/\/|import |def |class |SELECT )/;

/** Whether a pasted text should be offered as a block of code. One that is in a fence is a block already. */
export function mayBeBlock(pasted: string): boolean {
  const lines = pasted.replace(/\n+$/, "").split("\n");
  if (lines.length <= LINES_OF_CODE || /^\s*(?:```|~~~)/.test(pasted)) return false;
  const written = lines.filter((line) => line.trim() !== "");
  const likeCode = written.filter((line) => LINE_OF_CODE.test(line.trimEnd()));
  return lines.length > MANY_LINES || likeCode.length >= SHARE * written.length;
}

/** What stands in the place of a part of a text, so that exactly this part becomes a block of code. */
export function asBlock(text: string, start: number, end: number): string {
  const part = text.slice(start, end).replace(/\n+$/, "");
  const longest = Math.max(0, ...[...part.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  const before = start === 0 || text[start - 1] === "\n" ? "" : "\n";
  const after = text[end] === "\n" ? "" : "\n";
  return `${before}${fence}\n${part}\n${fence}${after}`;
}
