/** The language of the page, and its texts for errors of every kind. */
import { type ErrorCode, SENTENCES } from "../../chat/protocol.ts";
import type { RenameAnswer } from "../../client/own_name.ts";
import type { SessionRefusal } from "../../client/session_answer.ts";
import type { RefusalTexts, Sentence, Strings } from "./english.ts";
import type { Language } from "./format.ts";

export type { Strings };

/** The languages of the page beside English, whose texts only their readers load. */
const OTHERS: Record<Exclude<Language, "en">, () => Promise<Strings>> = {
  ko: async () => (await import("./korean.ts")).korean,
};

/** The texts of a language. Rejects when they can't be loaded now. */
export function loadStrings(language: keyof typeof OTHERS): Promise<Strings> {
  return OTHERS[language]();
}

interface LanguageChoice {
  language: Language;
  /** The language tag for dates and numbers, which may name a region: `en-GB`. */
  tag: string;
}

export interface Locale extends LanguageChoice {
  strings: Strings;
}

/**
 * The language that the reader has chosen on the page, otherwise the first of the browser's that the page has, otherwise
 * English. Either way with the region that the browser names for it.
 * @param chosen as it was stored; anything but a language of the page is no choice
 */
export function languageFor(preferred: readonly string[], chosen: string | null = null): LanguageChoice {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split("-")[0];
    if (!isLanguage(language) || isLanguage(chosen) && language !== chosen) continue;
    return { language, tag: isValidTag(tag) ? tag : language };
  }
  const language = isLanguage(chosen) ? chosen : "en";
  return { language, tag: language };
}

function isLanguage(value: string | null): value is Language {
  return value === "en" || value !== null && Object.hasOwn(OTHERS, value);
}

/**
 * Chromium on a machine with the POSIX locale names its language `en-US@posix`, for which every Intl constructor
 * throws.
 */
function isValidTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/**
 * Why an action failed: in the reader's language where the page knows what the server says, otherwise in the server's
 * words. It knows most codes, and the sentences of those that stand for many reasons.
 */
export function errorText(
  strings: Strings,
  { code, message, held_until }: { code: string; message: string; held_until?: number },
): string {
  if (held_until !== undefined) return strings.nameHeld(held_until);
  const known = (Object.keys(SENTENCES) as Sentence[]).find((key) => SENTENCES[key] === message);
  if (known) return strings.sentences[known];
  return isVague(code) && message !== "" ? message : codeText(strings, { code, message });
}

/** Whether a code stands for many reasons, so that the server's sentence says more than it does. */
function isVague(code: string): boolean {
  return code === "forbidden" || code === "not_found";
}

function codeText(strings: Strings, { code, message }: { code: string; message: string }): string {
  return Object.hasOwn(strings.errors, code) ? strings.errors[code as ErrorCode] : message;
}

/** Why a name was not taken; null if it was. */
export function renameText(strings: Strings, answer: RenameAnswer): string | null {
  if (answer.kind === "done") return null;
  return answer.kind === "offline" ? strings.noConnection : errorText(strings, answer.error);
}

/** Why a moderator's request failed. */
export function failureText(strings: Strings, failure: { code: string; message: string } | "offline"): string {
  return failure === "offline" ? strings.noConnection : codeText(strings, failure);
}

/** The text for a refused session. */
export function refusalText(texts: RefusalTexts, refusal: SessionRefusal): string {
  return texts[refusal.kind](refusal as never);
}

/** Why the server closed the connection for good, from the close code. */
export function closeText(strings: Strings, code: number): string {
  return strings.closed[code] ?? strings.closedOther(code);
}
