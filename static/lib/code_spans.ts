/** Where a text is code, as Markdown has it: nothing in there is a name, an emoji or a link. */

export interface CodeSpan {
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
  /** Whether its end has been written. */
  readonly closed: boolean;
  /** Whether it is code. A backtick that has no partner is none, but who still writes may add that. */
  readonly certain: boolean;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** The code in a text: between fences, and between backticks. */
export function codeSpans(text: string): CodeSpan[] {
  const spans: CodeSpan[] = [];
  let fence: { start: number; mark: string } | null = null;
  /** Where the text outside of fences began. */
  let plain = 0;
  let start = 0;
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1];
    const end = start + line.length;
    if (!fence && mark) {
      spans.push(...inlineSpans(text, plain, start));
      fence = { start, mark };
    } else if (fence && mark?.startsWith(fence.mark) && line.trim() === mark) {
      spans.push({ start: fence.start, end, closed: true, certain: true });
      fence = null;
      plain = end;
    }
    start = end + 1;
  }
  if (fence) spans.push({ start: fence.start, end: text.length, closed: false, certain: true });
  else spans.push(...inlineSpans(text, plain, text.length));
  return spans;
}

/** Whether what is written at this place becomes code, also where its end is still to be written. */
export function isInCode(text: string, index: number): boolean {
  return codeSpans(text.slice(0, index)).some(({ closed }) => !closed);
}

function inlineSpans(text: string, from: number, to: number): CodeSpan[] {
  const spans: CodeSpan[] = [];
  const runs = [...text.slice(from, to).matchAll(/`+|\n[ \t]*\n/g)];
  for (let at = 0; at < runs.length; at++) {
    const [run] = runs[at];
    if (!run.startsWith("`")) continue;
    const paragraph = runs.findIndex(([other], index) => index > at && other.startsWith("\n"));
    const last = paragraph === -1 ? runs.length : paragraph;
    const end = runs.findIndex(([other], index) => index > at && index < last && other === run);
    const start = from + runs[at].index;
    if (end !== -1) {
      spans.push({ start, end: from + runs[end].index + run.length, closed: true, certain: true });
      at = end;
    } else if (paragraph === -1) spans.push({ start, end: to, closed: false, certain: false });
  }
  return spans;
}
