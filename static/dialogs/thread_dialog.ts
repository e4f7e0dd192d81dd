import type { Locale } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import { isMuted } from "../lib/mutes.ts";
import { showText } from "../lib/text/message_text.ts";
import { heldMessage } from "../../client/room/room_state.ts";
import { canWrite, type State } from "../state.ts";
import { insteadOf } from "../views/message_answers.ts";
import { createThreadLines } from "../views/thread_lines.ts";
import { createSheet } from "./sheet.ts";

export interface ThreadDialogActions {
  state(): State;
  load(seq: number): void;
  /** Nobody looks at them any more. */
  forget(seq: number): void;
  /** Begins an answer where one writes. */
  answer(seq: number): void;
  goTo(seq: number, from: number): void;
}

/** All answers to a message, with those that come meanwhile. */
export function createThreadDialog(locale: Locale, actions: ThreadDialogActions) {
  const { strings } = locale;
  const sheet = createSheet(strings, strings.answersTitle);
  const dialog = sheet.body.closest("dialog")!;
  const answered = element("div", { className: "text", dir: "auto" });
  const who = element("bdi");
  const said = element("div", { className: "answered" }, element("p", { className: "heading" }, who), answered);
  const lines = createThreadLines(locale, {
    limit: Infinity,
    goTo(answer) {
      leave();
      actions.goTo(answer, seq);
    },
    loadMore: () => actions.load(seq),
    openAll() {},
    isMuted: (user) => isMuted(actions.state().muted, user),
  });
  const reply = button(strings.answer, "filled", () => {
    leave();
    actions.answer(seq);
  });
  let seq = 0;
  let room = "";
  let opener: Element | null = null;
  let shown: unknown[] = [];

  dialog.classList.add("all-answers");
  sheet.body.append(said, lines.element);
  sheet.foot.prepend(reply);
  dialog.addEventListener("close", () => {
    if (!actions.state().unfolded.includes(seq)) actions.forget(seq);
    // What is beside the composer gets the focus back: this comes after the page has moved it there.
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  });
  // So that nobody has to press for each page.
  sheet.body.addEventListener("scroll", () => {
    const { scrollHeight, scrollTop, clientHeight } = sheet.body;
    const thread = actions.state().room.threads.get(seq);
    if (thread?.more && thread.request === "idle" && scrollHeight - scrollTop - clientHeight < clientHeight) {
      actions.load(seq);
    }
  }, { passive: true });

  /** Closes it for another place, which gets the focus. */
  function leave() {
    opener = null;
    sheet.close();
  }

  function open(next: number) {
    seq = next;
    room = actions.state().room.name;
    opener = document.activeElement;
    shown = [];
    actions.load(seq);
    render(actions.state());
    sheet.open();
    sheet.body.scrollTop = 0;
  }

  function render(state: State) {
    if (seq === 0 || state.room.name !== room) return;
    const message = heldMessage(state.room, seq);
    const thread = state.room.threads.get(seq) ?? null;
    const next = [message, thread, state.muted, canWrite(state)];
    if (next.every((value, index) => value === shown[index])) return;
    shown = next;
    const isHidden = !message || isMuted(state.muted, message.user);
    setText(sheet.title, strings.answers(message?.replies ?? thread?.messages.length ?? 0));
    setText(who, isHidden ? "" : message.from);
    if (isHidden || message.deleted) setText(answered, insteadOf(strings, message));
    else showText(answered, message.text ?? "", message.from, strings);
    setProperties(reply, { hidden: !message || message.deleted === true || !canWrite(state) });
    lines.show(thread, message?.replies ?? 0);
  }

  return {
    open,
    render(state: State) {
      if (dialog.open) render(state);
    },
  };
}
