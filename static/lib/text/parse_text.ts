/** Finds the blocks of a message: code, quotes, lists. `inline.ts` finds what is in their lines. */
import { parseInline } from "./inline.ts";
import type { CodeBlock, Part } from "./text_tree.ts";

/** Quotes and lists within each other. What is deeper is shown as it was typed. */
const MAX_DEPTH = 5;

const FENCE = /^ {0,3}(`{3,}(?!`)|~{3,}(?!~))([^`]*)$/;
/** Not `>_<` or `>:(`, and not 3 > 2 on a line of its own. */
const QUOTED = /^ {0,3}>(?=[ \t>\p{L}]|$) ?/u;
/** A list's number has few digits: `2026. 11. 27.` is a date. */
const ITEM = /^( *)([-*]|\d{1,3}\.)([ \t]+)(?=\S)/;
const BLANK = /^\s*$/;

/** What can be found in a text. Whatever is in it, no word of it is lost, and what is none of ours stays as typed. */
export function parseText(text: string): Part[] {
  try {
    return parseLines(text.split("\n"), 0);
  } catch {
    return [text];
  }
}

/** The parts of the text of an action, which has no blocks. */
export function parseAction(text: string): Part[] {
  try {
    return parseInline(text);
  } catch {
    return [text];
  }
}

interface Block {
  part: Part;
  /** The index of the line behind it. */
  end: number;
}

function parseLines(lines: readonly string[], depth: number): Part[] {
  const parts: Part[] = [];
  const findCode = codeFinder(lines);
  let from = 0;
  let at = 0;
  while (at < lines.length) {
    const isFree = at === from || BLANK.test(lines[at - 1]);
    const block: Block | null = findCode(at) ??
      (depth < MAX_DEPTH ? findQuote(lines, at, depth) ?? findList(lines, at, depth, isFree) : null);
    if (block) {
      addText(at);
      parts.push(block.part);
      from = at = block.end;
    } else at++;
  }
  addText(at);
  return parts;

  /** Adds the lines from the last block to here. Only beside blocks, which have their own space, blank ones go. */
  function addText(to: number) {
    let [start, end] = [from, to];
    if (from > 0) { while (start < end && BLANK.test(lines[start])) start++; }
    if (to < lines.length) { while (start < end && BLANK.test(lines[end - 1])) end--; }
    if (start < end) parts.push(...parseInline(lines.slice(start, end).join("\n")));
  }
}

/** Returns what finds the code block that begins at a line. It begins with a fence, and ends with one. */
function codeFinder(lines: readonly string[]): (at: number) => Block | null {
  /** Of each character the shortest fence that is known not to end, so that no line is searched for often. */
  const endless: Record<string, number> = {};
  return (at) => {
    const [, fence, info] = FENCE.exec(lines[at]) ?? [];
    if (fence === undefined || fence.length >= (endless[fence[0]] ?? Infinity)) return null;
    for (let end = at + 1; end < lines.length; end++) {
      const line = lines[end].trimEnd();
      if (!line.endsWith(fence)) continue;
      // Many write the last fence behind the last line.
      let length = line.length - fence.length;
      while (line[length - 1] === fence[0]) length--;
      const rest = line.slice(0, length);
      if (rest.includes(fence)) continue;
      const part = codeBlock(info.trim(), [...lines.slice(at + 1, end), ...(BLANK.test(rest) ? [] : [rest])]);
      return BLANK.test(part.text) ? null : { part, end: end + 1 };
    }
    endless[fence[0]] = fence.length;
    return null;
  };
}

/** A first line of several words is no language, but code. */
function codeBlock(info: string, lines: readonly string[]): CodeBlock {
  const isLanguage = /^[\p{L}\p{N}+#._-]{0,32}$/u.test(info) && lines.length > 0;
  const text = (isLanguage ? lines : [info, ...lines]).join("\n");
  return { kind: "code_block", language: isLanguage ? info : "", text };
}

/** A quote begins with words: a sign alone quotes nothing. */
function findQuote(lines: readonly string[], at: number, depth: number): Block | null {
  const unquoted = (line: string) => line.replace(QUOTED, "");
  if (!QUOTED.test(lines[at]) || BLANK.test(unquoted(lines[at]))) return null;
  let end = at;
  while (end < lines.length && QUOTED.test(lines[end])) end++;
  return { part: { kind: "quote", parts: parseLines(lines.slice(at, end).map(unquoted), depth + 1) }, end };
}

/** @param isFree whether the list would not begin within a paragraph, where a number ends many a sentence */
function findList(lines: readonly string[], start: number, depth: number, isFree: boolean): Block | null {
  const first = itemAt(lines[start]);
  if (!first || first.indent > 3 || !isFree && first.number !== null && first.number !== 1) return null;
  const items: Part[][] = [];
  const typed: number[] = [];
  let at = start;
  while (at < lines.length) {
    const item = itemAt(lines[at]);
    if (!item || item.sign !== first.sign || item.indent > first.indent + 1) break;
    const within = [item.text];
    let end = at + 1;
    for (let next = end; next < lines.length; next++) {
      if (BLANK.test(lines[next])) continue;
      // Two spaces are enough below a number too.
      if (indentOf(lines[next]) < item.indent + 2) break;
      while (end <= next) within.push(withoutIndent(lines[end++], item.indent + item.width));
    }
    items.push(parseLines(within, depth + 1));
    typed.push(item.number ?? 0);
    at = end;
    // Items may have blank lines between them.
    let next = at;
    while (next < lines.length && BLANK.test(lines[next])) next++;
    if (next < lines.length && itemAt(lines[next])) at = next;
  }
  return { part: { kind: "list", numbers: first.number === null ? null : numbersOf(typed), items }, end: at };
}

/** The numbers as they were typed. Whoever writes the same one before each item has them counted. */
function numbersOf(typed: readonly number[]): readonly number[] {
  return typed.every((number) => number === typed[0]) ? typed.map((number, index) => number + index) : typed;
}

interface Item {
  indent: number;
  /** Of what stands before its text. */
  width: number;
  sign: string;
  number: number | null;
  text: string;
}

function itemAt(line: string): Item | null {
  const [all, indent, sign] = ITEM.exec(line) ?? [];
  if (all === undefined) return null;
  const text = line.slice(all.length);
  // A date, or a line of dashes.
  if (ITEM.test(text) || /^[-*]$|^\d{1,3}\.$/.test(text)) return null;
  const number = /\d/.test(sign) ? parseInt(sign) : null;
  return { indent: indent.length, width: all.length - indent.length, sign: number === null ? sign : ".", number, text };
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)![0].replaceAll("\t", "    ").length;
}

function withoutIndent(line: string, width: number): string {
  const indent = indentOf(line);
  return " ".repeat(Math.max(0, indent - width)) + line.trimStart();
}
