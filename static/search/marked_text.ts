/** Which parts of a text are what was searched for, and the part of a long one that shows them. */
import { isRun, normalise, SEPARATOR, TOUCHING } from "../../chat/search/normalise.ts";

/** A part of a text, in UTF-16 units. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A piece of what is shown of a text. */
export interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** UTF-16 units that are shown of a text at most, and of them before the first mark. */
const EXCERPT = 320;
const BEFORE = 60;

/**
 * The parts of a text that match one of the phrases, in order and apart from each other: the same that the matcher of
 * the server finds.
 * @param phrases as `parseQuery` has them
 */
export function marksIn(text: string, phrases: readonly string[]): Span[] {
  const normalised = normalise(text);
  const places = placesOf(text, normalised);
  if (!places) return [];
  const found: Span[] = [];
  for (const phrase of phrases) {
    for (let at = normalised.indexOf(phrase); at >= 0; at = normalised.indexOf(phrase, at + 1)) {
      const isAtBeginning = isSign(normalised[at - 1]);
      if (isAtBeginning || isRun(phrase)) found.push({ from: places[at].from, to: places[at + phrase.length - 1].to });
    }
  }
  return joined(found);
}

/** Where in the text each unit of its normalised form comes from; null where that can't be told. */
function placesOf(text: string, normalised: string): Span[] | null {
  const places: Span[] = [];
  let at = 0;
  for (const { segment, index } of new Intl.Segmenter().segment(text)) {
    const place = { from: index, to: index + segment.length };
    for (const unit of normalise(segment)) {
      if (isSign(unit)) continue;
      while (isSign(normalised[at])) places[at++] = place;
      if (!normalised.startsWith(unit, at)) return null; // what stands around a letter has made it another one
      for (let part = 0; part < unit.length; part++) places[at++] = place;
    }
  }
  return at === normalised.length ? places : null;
}

/** Whether it stands before a piece, and is none of the text. */
function isSign(unit: string | undefined): boolean {
  return unit === SEPARATOR || unit === TOUCHING;
}

function joined(spans: readonly Span[]): Span[] {
  const apart: Span[] = [];
  for (const { from, to } of spans.toSorted((one, other) => one.from - other.from)) {
    const last = apart.at(-1);
    if (last && from <= last.to) apart[apart.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else apart.push({ from, to });
  }
  return apart;
}

/** The text in pieces, from a little before the first mark on, on one line. */
export function excerptOf(text: string, marks: readonly Span[]): Piece[] {
  const start = wordBefore(text, (marks[0]?.from ?? 0) - BEFORE);
  const end = Math.min(text.length, start + EXCERPT);
  const pieces: Piece[] = [];
  const add = (from: number, to: number, marked: boolean) => {
    const part = text.slice(from, to).toWellFormed().replace(/\s+/g, " ");
    if (part !== "") pieces.push({ text: part, marked });
  };
  if (start > 0) pieces.push({ text: "…", marked: false });
  let at = start;
  for (const { from, to } of marks) {
    if (from >= end) break;
    add(at, from, false);
    add(from, Math.min(to, end), true);
    at = to;
  }
  if (at < end) add(at, end, false);
  if (end < text.length) pieces.push({ text: "…", marked: false });
  return pieces;
}

/** Where a word begins near a place; the beginning if that is near. */
function wordBefore(text: string, at: number): number {
  if (at <= 0) return 0;
  const space = text.slice(at, at + BEFORE / 2).search(/\s\S/);
  const found = space < 0 ? at : at + space + 1;
  const isInside = /[\udc00-\udfff]/.test(text[found]);
  return isInside ? found + 1 : found;
}
