/** What the text before the caret asks to be completed. */
import { isInCode } from "../lib/code_spans.ts";

export interface Trigger {
  /** `person` is a name without `@`, in a command. */
  readonly kind: "mention" | "person" | "emoji" | "command";
  /** Where that begins which is replaced. It ends at the caret. */
  readonly start: number;
  /** What is typed of it, without its sign. */
  readonly query: string;
}

/** UTF-16 units that a name may have: 32 code points. */
const NAME_SIZE = 64;
/** Anything that can be a command: one word, without another slash, as `/etc/hosts` has. */
const COMMAND = /^\/([\p{L}\p{N}_-]*)$/u;
const PERSON = /^\/mute\s+[@＠]?(.*)$/i;
const MENTION = new RegExp(`[@＠]([^@\\s][^@\\n]{0,${NAME_SIZE - 1}})?$`);
/**
 * Two characters of an English word, or one syllable. Not `10:30`, `http://` or `std::vector`, and no `:)` and `:-D`.
 */
const EMOJI = /(?:^|[^\p{L}\p{N}:])(:(\+1|-1|[a-z0-9][a-z0-9_+-]+|[가-힣][가-힣ㄱ-ㅎ\u1100-\u1112]*))$/iu;
const SHORTCODE = /(?:^|[^\p{L}\p{N}:])(:([a-z0-9_+-]+):)$/iu;

/** What is to be completed at the caret, if anything. */
export function findTrigger(text: string, caret: number): Trigger | null {
  const before = text.slice(0, caret);
  const command = COMMAND.exec(before);
  if (command) return /^\S*\//.test(text.slice(1)) ? null : { kind: "command", start: 0, query: command[1] };
  const person = PERSON.exec(before);
  if (person) return { kind: "person", start: caret - person[1].length, query: person[1] };
  const emoji = EMOJI.exec(before);
  const mention = MENTION.exec(before);
  const found: Trigger | null = emoji
    ? { kind: "emoji", start: caret - emoji[1].length, query: emoji[2] }
    : mention && !isAddress(before.slice(0, mention.index))
    ? { kind: "mention", start: mention.index, query: mention[1] ?? "" }
    : null;
  return found && !isInCode(text, found.start) ? found : null;
}

/** The name of an emoji that has just been typed in full, `smile` of `:smile:`, and where it begins. */
export function findShortcode(text: string, caret: number): { start: number; code: string } | null {
  const found = SHORTCODE.exec(text.slice(0, caret));
  if (!found) return null;
  const start = caret - found[1].length;
  return isInCode(text, start) ? null : { start, code: found[2].toLowerCase() };
}

/** Whether `@` behind this is the middle of an address, as in `ann@example.org`. */
function isAddress(before: string): boolean {
  return /[\p{L}\p{N}_.+-]$/u.test(before) && !/[가-힣]$/.test(before);
}
