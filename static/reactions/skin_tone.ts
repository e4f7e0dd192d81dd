/** Emoji of people in the reader's skin tone. */
import type { KeyValueStorage } from "../../client/storage.ts";

const KEY = "parley.skin_tone";
/** The modifiers of Unicode, from light to dark; the first stands for none. */
export const TONES = ["", "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"];

/** 0 for none, else 1 (light) to 5 (dark). */
export function chosenTone(storage: KeyValueStorage): number {
  const stored = Number(storage.read(KEY));
  return TONES[stored] === undefined ? 0 : stored;
}

export function chooseTone(storage: KeyValueStorage, tone: number): void {
  storage.write(KEY, tone === 0 ? null : String(tone));
}

/** The emoji in this tone, if Unicode has it: every person of it, without the selector that the tone stands for. */
export function toned(emoji: string, tone: number): string {
  if (tone === 0 || !isEmoji) return emoji;
  // Two people who hold hands have a tone each, and the hands between them have none.
  const variants = [ANYONE, ANYONE_OUTSIDE].map((one) => emoji.replaceAll(one, `$1${TONES[tone]}`));
  return variants.find((variant) => isEmoji.test(variant)) ?? emoji;
}

const ANYONE = /(\p{Emoji_Modifier_Base})\u{fe0f}?/gu;
const ANYONE_OUTSIDE = /(?<!\u{200d}(?=.+\u{200d}))(\p{Emoji_Modifier_Base})\u{fe0f}?/gu;

/** Older browsers know no sets of strings: they offer no tones. */
const isEmoji = (() => {
  try {
    return new RegExp("^\\p{RGI_Emoji}$", "v");
  } catch {
    return null;
  }
})();
