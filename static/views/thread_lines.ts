/** The answers to a message, one below the other: shortly below the message, or all in a view of their own. */
import type { ReceiveMessage } from "../../chat/protocol.ts";
import type { Thread } from "../../client/room/room_state.ts";
import type { Locale } from "../i18n/locale.ts";
import { createAvatar } from "../lib/avatar.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import { showLine, showText } from "../lib/text/message_text.ts";

export interface ThreadLinesOptions {
  /** Answers that are shown, each with one line; Infinity: all that are loaded, each with all of its text. */
  limit: number;
  /** Goes to an answer in the conversation. */
  goTo(seq: number): void;
  loadMore(): void;
  openAll(): void;
  /** Whether the reader has muted someone. */
  isMuted(user: string): boolean;
}

export interface ThreadLines {
  readonly element: HTMLElement;
  /** @param replies how many there are, as far as that is known */
  show(thread: Thread | null, replies: number): void;
}

export function createThreadLines({ strings, tag }: Locale, options: ThreadLinesOptions): ThreadLines {
  const list = element("ol", { role: "list" });
  const note = element("p", { className: "help", role: "status" });
  const more = button(
    "",
    "link",
    () => options.limit === Infinity || isFailed ? options.loadMore() : options.openAll(),
  );
  const foot = element("p", { className: "more" }, note, more);
  const thread = element("div", { className: "thread" }, list, foot);
  const times = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" });
  const ofToday = new Intl.DateTimeFormat(tag, { timeStyle: "short" });
  const shown = new Map<number, { message: ReceiveMessage; item: HTMLLIElement }>();
  let isFailed = false;

  more.tabIndex = -1;

  function show(next: Thread | null, replies: number) {
    const { messages, more: hasMore, request } = next ?? { messages: [], more: true, request: "loading" };
    const isShown = ({ deleted, user }: ReceiveMessage) => !deleted && !options.isMuted(user);
    const answers = messages.filter(isShown).slice(0, options.limit);
    const wanted = new Set(answers.map(({ seq }) => seq));
    for (const [seq, { item }] of shown) {
      if (wanted.has(seq)) continue;
      item.remove();
      shown.delete(seq);
    }
    answers.forEach((message, index) => {
      const before = shown.get(message.seq);
      const item = before?.message === message ? before.item : lineOf(message);
      if (before && before.item !== item) before.item.replaceWith(item);
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
      shown.set(message.seq, { message, item });
    });
    isFailed = request === "failed";
    const isLoading = request === "loading";
    setText(note, isFailed ? strings.answersFailed : isLoading && answers.length === 0 ? strings.answersLoading : "");
    const isMore = isFailed || !isLoading && (options.limit === Infinity ? hasMore : replies > options.limit);
    setProperties(more, { hidden: !isMore });
    const label = options.limit === Infinity ? strings.moreAnswers : strings.allAnswers(replies);
    setText(more, isFailed ? strings.tryAgain : label);
    setProperties(foot, { hidden: more.hidden && note.textContent === "" });
  }

  function lineOf(message: ReceiveMessage): HTMLLIElement {
    const { seq, user, from, text = "", date } = message;
    const person = element(
      "span",
      { className: "who" },
      createAvatar({ user, name: from }),
      element("bdi", {
        textContent: from,
      }),
    );
    const time = element("time", {
      dateTime: new Date(date).toISOString(),
      textContent: (isToday(new Date(date)) ? ofToday : times).format(date),
      title: times.format(date),
    });
    if (options.limit !== Infinity) {
      const words = element("span", { className: "line", dir: "auto" });
      showLine(words, text);
      const go = button("", "answer-line", () => options.goTo(seq));
      go.tabIndex = -1;
      go.append(person, words);
      go.title = times.format(date);
      return element("li", {}, go);
    }
    const words = element("div", { className: "text", dir: "auto" });
    showText(words, text, from, strings);
    const go = button("", "link when", () => options.goTo(seq));
    go.append(time);
    go.title = strings.showInConversation;
    return element("li", {}, element("p", { className: "heading" }, person, go), words);
  }

  return { element: thread, show };
}

function isToday(date: Date): boolean {
  return date.toDateString() === new Date().toDateString();
}
