import type { KeyValueStorage } from "../../client/storage.ts";
import { type Emoji, recentEmoji, searchEmoji } from "../composer/emoji.ts";
import { createSheet } from "../dialogs/sheet.ts";
import type { Locale } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import { hasScreenKeyboard } from "../views/text_entry.ts";
import { chooseTone, chosenTone, toned, TONES } from "./skin_tone.ts";

/** Emoji that come into the page at once: a phone would show all of them a moment later. */
const STEP = 160;
/** Those found for a word. */
const FOUND = 80;
/** Pixels before the end of the list at which the next ones come. */
const AHEAD = 300;

export interface PickerOptions {
  /** All emoji. */
  load: () => Promise<Emoji[]>;
  storage: KeyValueStorage;
}

export interface Picker {
  /** @param closed is called afterwards, whether one was chosen or not */
  open(choose: (emoji: string) => void, closed: () => void): void;
}

/** The emoji picker: all emoji in a dialog, found by their names in both languages. Arrow keys go over them, Enter takes one. */
export function createPicker({ strings, language }: Locale, { load, storage }: PickerOptions): Picker {
  const sheet = createSheet(strings, strings.chooseEmoji);
  setText(sheet.title, strings.chooseEmoji);
  const field = element("input", { type: "search", autocomplete: "off", dir: "auto", ariaLabel: strings.findEmoji });
  field.placeholder = strings.findEmoji;
  field.enterKeyHint = "done";
  const grid = element("div", { className: "grid", role: "group", ariaLabel: strings.chooseEmoji, tabIndex: -1 });
  const none = element("p", { className: "help", role: "status" });
  const tones = element("div", { className: "tones", role: "group", ariaLabel: strings.skinTone });
  sheet.body.className = "emoji-picker";
  sheet.body.append(field, grid, none);
  sheet.foot.prepend(tones);
  const dialog = sheet.body.closest("dialog")!;

  let all: readonly Emoji[] = [];
  /** Those to be shown, of which the first ones are. */
  let list: readonly Emoji[] = [];
  let choose: (emoji: string) => void = () => {};
  let closed = () => {};
  let tone = 0;

  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && field.value.trim() !== "") take(list[0]);
    else if (event.key === "ArrowDown") focusOn(0);
    else return;
    event.preventDefault();
  });
  grid.addEventListener("click", (event) => take(list[indexOf((event.target as Element).closest("button"))]));
  grid.addEventListener("keydown", moveByKey);
  grid.addEventListener("focusin", (event) => event.target !== grid && setStop(event.target as HTMLElement));
  grid.addEventListener("scroll", () => {
    if (grid.scrollHeight - grid.clientHeight - grid.scrollTop < AHEAD) addMore();
  }, { passive: true });
  dialog.addEventListener("close", () => closed());
  tones.append(...TONES.map((_, index) => {
    const swatch = button(toned("✋", index), "", () => {
      tone = index;
      chooseTone(storage, tone);
      showTones();
      show();
    });
    return Object.assign(swatch, { ariaLabel: strings.skinTones[index], title: strings.skinTones[index] });
  }));

  const indexOf = (one: Element | null) => [...grid.children].indexOf(one!);

  function showTones() {
    for (const [index, swatch] of [...tones.children].entries()) swatch.ariaPressed = String(index === tone);
  }

  function take(one: Emoji | undefined) {
    if (!one) return;
    sheet.close(); // first, because it returns the focus
    choose(toned(one.emoji, tone));
  }

  function show() {
    const typed = field.value.trim();
    list = typed === "" ? all : searchEmoji(all, typed, recentEmoji(storage), FOUND);
    grid.replaceChildren();
    grid.scrollTop = 0;
    addMore();
    setText(none, list.length === 0 && all.length > 0 ? strings.noEmoji : "");
  }

  function addMore() {
    const from = grid.childElementCount;
    grid.append(
      ...list.slice(from, from + STEP).map(({ emoji, labels }, at) => {
        const name = labels[language];
        const one = button(toned(emoji, tone), "", () => {});
        // The grid is one stop of Tab.
        return Object.assign(one, { ariaLabel: name, title: name, tabIndex: from + at === 0 ? 0 : -1 });
      }),
    );
  }

  function setStop(stop: HTMLElement) {
    for (const other of grid.querySelectorAll<HTMLElement>("[tabindex='0']")) other.tabIndex = -1;
    stop.tabIndex = 0;
  }

  function focusOn(index: number) {
    if (index >= grid.childElementCount) addMore();
    (grid.children[index] as HTMLElement | undefined)?.focus();
  }

  function moveByKey(event: KeyboardEvent) {
    const at = indexOf(event.target as Element);
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const forward = getComputedStyle(grid).direction === "ltr" ? 1 : -1;
    const steps: Record<string, number> = {
      ArrowRight: forward,
      ArrowLeft: -forward,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -at,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (at + step < 0) field.focus();
    else focusOn(at + step);
  }

  return {
    async open(next, after) {
      [choose, closed] = [next, after];
      field.value = "";
      tone = chosenTone(storage);
      showTones();
      show();
      // A keyboard that slides in would cover what there is to choose from.
      const start = hasScreenKeyboard() ? grid : field;
      start.autofocus = true;
      sheet.open();
      start.focus();
      if (all.length > 0) return;
      try {
        all = await load();
        setProperties(none, { textContent: "" });
        show();
      } catch {
        setText(none, strings.emojiFailed);
      }
    },
  };
}
