import type { ReceiveMessage } from "../../chat/protocol.ts";
import type { Locale } from "../i18n/locale.ts";
import { element, setProperties, setText } from "../lib/dom.ts";
import { excerptOf, marksIn } from "./marked_text.ts";

/** One message that was found: who said it, when, and its words. */
export interface ResultView {
  readonly element: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly seq: number;
  /** @param phrases what is marked in it */
  show(message: ReceiveMessage, phrases: readonly string[], isCurrent: boolean): void;
}

/** @param choose is called when somebody wants to go to the message */
export function createResultView(
  { strings }: Locale,
  dateText: (date: Date) => string,
  seq: number,
  choose: (seq: number) => void,
): ResultView {
  const name = element("bdi");
  const time = element("time");
  const words = element("span", { className: "words", dir: "auto" });
  const button = element("button", { type: "button", onclick: () => choose(seq) }, name, " ", time, " ", words);
  const item = element("li", {}, button);
  let shown: { text: string | undefined; phrases: readonly string[] } | undefined;

  function show({ from, date, text, deleted }: ReceiveMessage, phrases: readonly string[], isCurrent: boolean) {
    setText(name, from);
    const when = new Date(date);
    setProperties(time, { dateTime: when.toISOString() });
    setText(time, dateText(when));
    setProperties(button, { ariaCurrent: isCurrent ? "true" : null });
    item.classList.toggle("deleted", deleted ?? false);
    if (shown && shown.text === text && shown.phrases === phrases) return;
    shown = { text, phrases };
    if (deleted || text === undefined) return setText(words, strings.deleted);
    const pieces = excerptOf(text, marksIn(text, phrases));
    words.replaceChildren(
      ...pieces.map(({ text, marked }) => marked ? element("mark", { textContent: text }) : text),
    );
  }

  return { element: item, button, seq, show };
}

/** Dates of messages, which need no year where it is this one. */
export function datesIn(tag: string): (date: Date) => string {
  const short = new Intl.DateTimeFormat(tag, { month: "short", day: "numeric", hour: "numeric", minute: "numeric" });
  const full = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" });
  const year = new Date().getFullYear();
  return (date) => (date.getFullYear() === year ? short : full).format(date);
}
