import type { Strings } from "../i18n/locale.ts";
import { element } from "../lib/dom.ts";

/** Milliseconds after the last key before it searches: most people type the next one sooner. */
const PAUSE = 300;
/** While a syllable is composed, which may not be the one that is meant yet. */
const COMPOSING_PAUSE = 800;
/** What an input method has written that is meant as it stands: syllables of Hangul are, kana and Pinyin are not. */
const WHOLE_SYLLABLES = /^[가-힣]*$/;
/** A word with a colon behind it, and the beginning of a name. */
const PERSON = /(?:^|\s)(\p{L}+):(\S*)$/u;

export interface SearchFieldOptions {
  strings: Strings;
  /** Somebody has written something that may be searched for after this pause, in milliseconds. */
  typed(pause: number): void;
  /** Somebody has written `from:`, and maybe the beginning of a name behind it. */
  choosePerson(name: string): void;
}

/**
 * Where one writes what is searched for. What an input method is still making words of is not; where that may be a word
 * already, it is after a longer pause.
 */
export function createSearchField({ strings, typed, choosePerson }: SearchFieldOptions): HTMLInputElement {
  const texts = strings.search;
  const field = element("input", {
    id: "search-field",
    type: "search",
    autocomplete: "off",
    spellcheck: false,
    enterKeyHint: "search",
    placeholder: texts.placeholder,
    ariaLabel: texts.field,
    dir: "auto",
  });
  let isUnfinished = false;

  field.addEventListener("compositionstart", () => isUnfinished = true);
  field.addEventListener("compositionupdate", ({ data }) => isUnfinished = !WHOLE_SYLLABLES.test(data));
  field.addEventListener("compositionend", () => {
    isUnfinished = false;
    read(PAUSE);
  });
  field.addEventListener("input", (event) => read((event as InputEvent).isComposing ? COMPOSING_PAUSE : PAUSE));

  function read(pause: number) {
    if (isUnfinished) return;
    const [found, word, name] = PERSON.exec(field.value) ?? [];
    const isPerson = word !== undefined && ["from", texts.fromWord].includes(word.toLowerCase());
    if (isPerson) field.value = field.value.slice(0, -found!.length);
    typed(pause);
    if (isPerson) choosePerson(name);
  }

  return field;
}
