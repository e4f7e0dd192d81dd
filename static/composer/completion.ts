/** Names, emoji and commands are completed as they are typed. */
import type { KeyValueStorage } from "../../client/storage.ts";
import type { Locale } from "../i18n/locale.ts";
import { isMuted } from "../lib/mutes.ts";
import type { State } from "../state.ts";
import { INPUT_METHOD_KEY_CODE } from "../views/text_entry.ts";
import { type CommandName, matchingCommands } from "./commands.ts";
import { type Choice, createCompletionView } from "./completion_view.ts";
import { type Emoji, emojiWithCode, matchingEmoji, noteUse, parseEmoji, recentEmoji } from "./emoji.ts";
import { insertText } from "./insert_text.ts";
import { matchingPeople, peopleIn } from "./people.ts";
import { findShortcode, findTrigger, type Trigger } from "./trigger.ts";

/** Lines of the list: as many as one sees at once. */
const CHOICES = 8;

export interface CompletionOptions {
  field: HTMLTextAreaElement;
  locale: Locale;
  state: () => State;
  /** The file with all emoji. */
  loadEmoji: () => Promise<string>;
  /** Where it is stored which ones were used. */
  storage: KeyValueStorage;
}

/**
 * Shows the list while one types, also while an input method composes: a Korean name is found at its first syllable.
 * Keys are the input method's own until it has ended.
 * @returns what to call when the field was changed by something other than its reader
 */
export function createCompletion(
  { field, locale, state, loadEmoji, storage }: CompletionOptions,
): { refresh(): void } {
  const { strings, language } = locale;
  const view = createCompletionView(field, take);
  let emoji: Emoji[] | null = null;
  let loading: Promise<void> | null = null;
  let trigger: Trigger | null = null;
  /** What was taken or dismissed, and does not open the list again. */
  let settled: string | null = null;
  let isComposing = false;

  field.addEventListener("input", (event) => {
    replaceShortcode(event as InputEvent);
    refresh();
  });
  field.addEventListener("blur", () => view.close());
  field.addEventListener("compositionstart", () => isComposing = true);
  field.addEventListener("compositionend", () => isComposing = false);
  document.addEventListener("selectionchange", () => document.activeElement === field && refresh());
  // Before the composer's own keys.
  field.closest("form")!.addEventListener("keydown", onKey, { capture: true });

  function refresh() {
    const caret = field.selectionStart;
    const isPlace = document.activeElement === field && caret === field.selectionEnd && !field.disabled;
    trigger = isPlace ? findTrigger(field.value, caret) : null;
    if (trigger === null) {
      if (isPlace) settled = null;
      return view.close();
    }
    if (placeOf(trigger) === settled) return view.close();
    settled = null;
    const choices = choicesFor(trigger);
    if (choices.length === 0) view.close();
    else view.show(strings.completions[trigger.kind], choices);
  }

  const placeOf = ({ kind, start }: Trigger) => `${kind} ${start}`;

  function choicesFor({ kind, query }: Trigger): Choice[] {
    switch (kind) {
      case "command":
        return matchingCommands(query).map(commandChoice);
      case "emoji":
        if (!emoji) load();
        return matchingEmoji(emoji ?? [], query, recentEmoji(storage), CHOICES).map((one) => ({
          key: one.emoji,
          sign: one.emoji,
          label: one.labels[language],
          detail: `:${one.codes[0]}:`,
          text: `${one.emoji} `,
        }));
      case "mention":
      case "person":
        return matchingPeople(peopleIn(state()), query).slice(0, CHOICES).map(({ user, name }) => ({
          key: user,
          label: name,
          detail: isMuted(state().muted, user) ? strings.mutedMark : "",
          text: kind === "mention" ? `@${name} ` : name,
        }));
    }
  }

  function commandChoice(name: CommandName): Choice {
    const [argument, help] = strings.commands[name];
    return {
      key: name,
      label: `/${name} ${argument}`.trimEnd(),
      detail: help,
      text: argument ? `/${name} ` : `/${name}`,
    };
  }

  function onKey(event: KeyboardEvent) {
    if (!view.isOpen || event.target !== field) return;
    if (event.isComposing || event.keyCode === INPUT_METHOD_KEY_CODE) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const marked = view.marked();
    if (event.key === "ArrowDown") view.move(1);
    else if (event.key === "ArrowUp") view.move(-1);
    else if (event.key === "Escape") dismiss();
    else if ((event.key === "Enter" || event.key === "Tab") && marked) {
      // What is typed in full already is sent, not completed by a space.
      if (event.key === "Enter" && !marked.moved && typed() === marked.choice.text.trimEnd()) return dismiss();
      take(marked.choice);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const typed = () => field.value.slice(trigger?.start, field.selectionStart);

  function dismiss() {
    settled = trigger && placeOf(trigger);
    view.close();
  }

  function take({ key, text }: Choice) {
    // A touch or a click ends what an input method has begun; without that, it would write its syllable once more.
    if (isComposing) field.blur();
    if (isComposing || document.activeElement !== field) field.focus();
    const taken = trigger ?? findTrigger(field.value, field.selectionStart);
    if (!taken) return view.close();
    const end = field.selectionStart;
    settled = placeOf(taken);
    view.close();
    if (taken.kind === "emoji") noteUse(storage, key);
    insertText(field, taken.start, end, field.value[end] === " " ? text.trimEnd() : text);
  }

  /** Replaces `:smile:` as soon as its second colon is typed. */
  function replaceShortcode({ data, inputType }: InputEvent) {
    if (inputType !== "insertText" || data !== ":" || field.selectionStart !== field.selectionEnd) return;
    const [value, caret] = [field.value, field.selectionStart];
    const found = findShortcode(value, caret);
    if (!found) return;
    if (!emoji) {
      return load().then(() => {
        if (emoji && field.value === value && field.selectionStart === caret) {
          replaceShortcode({ data, inputType } as InputEvent);
        }
      });
    }
    const one = emojiWithCode(emoji, found.code);
    if (!one) return;
    noteUse(storage, one.emoji);
    insertText(field, found.start, caret, one.emoji);
  }

  function load(): Promise<void> {
    return loading ??= loadEmoji().then((table) => {
      emoji = parseEmoji(table);
      refresh();
    }, () => void (loading = null)); // it is tried again with the next letter
  }

  return { refresh };
}
