/** What a message shows of answers: the one line that it quotes above its text, and below it how many answer it. */
import type { ReceiveMessage } from "../../chat/protocol.ts";
import type { Locale, Strings } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { isMuted } from "../lib/mutes.ts";
import { showLine } from "../lib/text/message_text.ts";
import type { ThreadLines } from "./thread_lines.ts";
import type { MessageRow } from "./timeline.ts";

/** Answers that are shown below their message. Of more there is a view of their own. */
export const SHORT_THREAD = 5;

export interface AnswerActions {
  /** Begins an answer to a message. */
  answer(seq: number): void;
  /** Goes to a message from an answer, or from where it is listed. */
  goToAnswered(seq: number, answer: number): void;
  /** Shows the answers to a message below it, or no more. */
  unfold(seq: number, open: boolean): void;
  loadAnswers(seq: number): void;
  /** Opens all answers to a message. */
  openThread(seq: number): void;
}

/** What is known of a message that another one answers. */
export interface Answered {
  /** Null where the server has it no more, undefined while it is not known. */
  readonly message: ReceiveMessage | null | undefined;
  readonly isMuted: boolean;
}

/**
 * A line with the name of whoever is answered, and the beginning of what they said.
 * @param changed is called when it looks different from how it was shown
 */
export function createQuoteLine(
  strings: Strings,
  changed?: () => void,
): { element: HTMLElement; show(answered: Answered): void } {
  const name = element("bdi", { className: "name" });
  const text = element("span", { className: "line", dir: "auto" });
  const line = element("span", { className: "quote-line" }, icon("answer"), name, " ", text);

  function show({ message, isMuted }: Answered) {
    const words = message && !message.deleted && !isMuted ? message.text ?? "" : null;
    setText(name, message && !isMuted ? message.from : "");
    text.classList.toggle("absent", words === null);
    if (words !== null) showLine(text, words, changed);
    else setText(text, insteadOf(strings, message));
  }

  return { element: line, show };
}

/** What stands in place of the words of a message that is gone, deleted, not known yet, or of somebody who is muted. */
export function insteadOf(strings: Strings, message: Answered["message"]): string {
  if (message === undefined) return "…";
  return message === null ? strings.answeredGone : message.deleted ? strings.answeredDeleted : strings.answeredMuted;
}

export interface MessageAnswers {
  update(row: MessageRow): void;
}

/** @param content of the message: what is shown of answers stands at its beginning and at its end */
export function createMessageAnswers(locale: Locale, content: HTMLElement, actions: AnswerActions): MessageAnswers {
  const { strings } = locale;
  // Most messages have neither.
  let quote: HTMLButtonElement | null = null;
  let foot: HTMLElement | null = null;
  let line: ReturnType<typeof createQuoteLine>;
  let count: HTMLButtonElement;
  let lines: ThreadLines | null = null;
  let row: MessageRow;

  function update(next: MessageRow) {
    const before = row as MessageRow | undefined;
    row = next;
    if (row.replyTo !== null) {
      const isNew = !quote || before?.answered !== row.answered || before?.answersMuted !== row.answersMuted;
      quote ??= makeQuote();
      if (isNew) line.show({ message: row.answered, isMuted: row.answersMuted });
      if (isNew) nameQuote();
    } else quote = quote?.remove() ?? null;
    if (row.replies > 0 || row.unfolded) showCount(foot ??= makeFoot());
    else {
      foot = foot?.remove() ?? null;
      lines = null;
    }
  }

  // Controls inside of a message: arrow keys come to them, Tab only while the focus is there.
  function makeQuote(): HTMLButtonElement {
    line = createQuoteLine(strings, nameQuote);
    const made = button("", "quote", () => {
      if (row.replyTo !== null && row.seq !== null && row.answered !== null) actions.goToAnswered(row.replyTo, row.seq);
    });
    made.tabIndex = -1;
    made.append(line.element);
    content.prepend(made);
    return made;
  }

  function makeFoot(): HTMLElement {
    count = button("", "count", toggle);
    count.tabIndex = -1;
    const made = element("div", { className: "answers", ariaLive: "off" }, count);
    content.append(made);
    return made;
  }

  function nameQuote() {
    const said = line.element.querySelector(".line")?.textContent ?? "";
    const whom = row.answersMuted ? "" : row.answered?.from ?? "";
    if (quote) setProperties(quote, { ariaLabel: strings.inAnswerTo(whom, said) });
  }

  function showCount(foot: HTMLElement) {
    setText(count, strings.answers(row.replies));
    setProperties(count, {
      ariaExpanded: isLong() ? null : String(row.unfolded),
      ariaHasPopup: isLong() ? "dialog" : null,
    });
    if (row.unfolded) showLines(foot);
    else {
      lines?.element.remove();
      lines = null;
    }
  }

  /** A thread that has grown while it was shown stays, and has the way to all of it. */
  const isLong = () => row.replies > SHORT_THREAD && !row.unfolded;

  function toggle() {
    if (row.seq === null) return;
    if (isLong()) actions.openThread(row.seq);
    else actions.unfold(row.seq, !row.unfolded);
  }

  function showLines(foot: HTMLElement) {
    if (lines) return lines.show(row.thread, row.replies);
    // Who answered is seen by few, and only after the first screen.
    import("./thread_lines.ts").then(({ createThreadLines }) => {
      if (!row.unfolded) return;
      if (!lines) {
        lines = createThreadLines(locale, {
          limit: SHORT_THREAD,
          goTo: (seq) => row.seq !== null && actions.goToAnswered(seq, row.seq),
          loadMore: () => row.seq !== null && actions.loadAnswers(row.seq),
          openAll: () => row.seq !== null && actions.openThread(row.seq),
          isMuted: (user) => isMuted(row.threadWithout, user),
        });
        foot.append(lines.element);
      }
      lines.show(row.thread, row.replies);
    }, () => row.seq !== null && actions.unfold(row.seq, false));
  }

  return { update };
}
