import { OUTBOX_LIMIT } from "../../client/outbox.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import type { Assist, AssistOptions, CommandActions } from "../composer/assist.ts";
import { errorText, type Locale } from "../i18n/locale.ts";
import { button, element, find, setProperties, setText } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { displayName } from "../lib/room_name.ts";
import { canWrite, isBanned, isStranger, type Notice, shownTypists, type State } from "../state.ts";
import { type AnsweringActions, createAnswering } from "./answering.ts";
import { countAnnouncer, enterSubmits, grow, length, sendable } from "./text_entry.ts";

/** Code points before the limit from which the rest is counted down. */
const COUNTDOWN_FROM = 200;
const DRAFT_KEY = "parley.draft:";
/** What begins a name, an emoji or a command. */
const ASKS_FOR_HELP = /[@＠:]|^\//;
/** A text that may be a command: one word with a slash, or with two to be none. `/me` is a message. */
const MAY_BE_COMMAND = /^\/{1,2}(?!me(?:\s|$))[\p{L}\p{N}_-]+(?:\s|$)/iu;

export interface ComposerActions extends CommandActions, Omit<AnsweringActions, "stopped"> {
  /**
   * @param answered the message that it answers
   * @returns false when the outbox is full: then the text stays in the field
   */
  write(text: string, answered?: number): boolean;
  typing(): void;
  editLast(): void;
  dismiss(): void;
  /** Code that is needed now did not come. */
  notLoaded(): void;
  /** Tells it to screen readers. */
  announce(text: string): void;
}

export interface ComposerView {
  /** Where one writes. */
  readonly field: HTMLTextAreaElement;
  render(state: State): void;
  focus(): void;
  /** The next message answers this one. */
  answer(seq: number): void;
  /** Loads what completes names, emoji and commands, so that it is there at once later. */
  load(): void;
  /** Inserts what was pasted while the focus was elsewhere. */
  paste(text: string): void;
}

/** Where one writes the next message, under one's own name. */
export function createComposerView(
  locale: Locale,
  drafts: KeyValueStorage,
  actions: ComposerActions,
  emoji: Pick<AssistOptions, "loadEmoji" | "storage">,
): ComposerView {
  const { strings } = locale;
  const form = find("composer", HTMLFormElement);
  const field = find("text", HTMLTextAreaElement);
  const send = find("send", HTMLButtonElement);
  const me = find("me", HTMLButtonElement);
  const hint = find("hint", HTMLElement);
  const notice = find("notice", HTMLElement);
  const name = element("bdi");
  const answering = createAnswering(strings, drafts, { ...actions, stopped: () => field.focus() });
  const announceCount = countAnnouncer(strings, actions.announce);
  let state: State;
  let shownNotice: Notice | null = null;
  let assist: Assist | null = null;
  let loading: Promise<Assist> | null = null;

  send.ariaLabel = strings.send;
  send.title = strings.send;
  send.append(icon("up"));
  me.append(
    name,
    icon("pencil"),
  );
  me.onclick = actions.changeName;

  enterSubmits(field, "send", submit);
  form.onsubmit = (event) => {
    event.preventDefault();
    submit();
    field.focus();
  };
  field.addEventListener("input", () => {
    changed();
    if (!assist && ASKS_FOR_HELP.test(field.value)) load();
    if (field.value.trim() !== "") actions.typing();
  });
  // What helps to write closes first: the form is told of a key after the field.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || answering.seq === null) return;
    event.preventDefault();
    answering.stop();
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" || field.value !== "" || event.isComposing) return;
    event.preventDefault();
    actions.editLast();
  });

  function submit() {
    const text = sendable(field.value).trimEnd();
    if (text === "" || length(text) > state.limits.text || field.disabled) return;
    if (!MAY_BE_COMMAND.test(text)) return write(text);
    // What is typed while the code comes stays in the field, and is entered again.
    const run = (assist: Assist) => {
      if (sendable(field.value).trimEnd() === text) assist.run(text);
    };
    if (assist) run(assist);
    else loadAssist().then(run, actions.notLoaded);
  }

  function write(text: string) {
    if (!actions.write(text, answering.seq ?? undefined)) return;
    answering.stop();
    field.value = "";
    changed();
    assist?.left();
  }

  /** Once: most browsers remember that a module could not be loaded until the page is loaded again. */
  function loadAssist(): Promise<Assist> {
    return loading ??= import("../composer/assist.ts").then(({ createAssist }) =>
      assist = createAssist({
        field,
        frame: find("field", HTMLElement),
        locale,
        state: () => state,
        send: write,
        actions,
        ...emoji,
      })
    );
  }

  function load() {
    loadAssist().then((assist) => assist.refresh(), () => {/* it is said to who asks for a command */});
  }

  function changed() {
    grow(field);
    drafts.write(DRAFT_KEY + state.room.name, field.value || null);
    renderHint();
  }

  /** One line, about what matters most now. */
  function renderHint() {
    const left = state.limits.text - length(field.value);
    announceCount(left);
    setProperties(field, { ariaInvalid: left < 0 ? "true" : null });
    hint.classList.toggle("problem", left < 0);
    setProperties(send, { disabled: left < 0 || field.disabled });
    setText(hint, left < 0 ? strings.over(-left) : left < COUNTDOWN_FROM ? strings.left(left) : roomHint());
  }

  function roomHint(): string {
    const { room, outbox, status } = state;
    if (isBanned(state)) return room.messages.length > 0 ? strings.banRead : "";
    if (room.locked) return strings.locked;
    const typists = shownTypists(state);
    if (typists.length > 0) return strings.typing(typists.map((typist) => typist.name));
    const waiting = outbox.items.filter((item) => item.error === null).length;
    if (status.kind !== "connected" && waiting > 0) return strings.waiting(waiting);
    return room.slowSeconds > 0 ? strings.slow(room.slowSeconds) : "";
  }

  function renderNotice(next: Notice | null) {
    if (next === shownNotice) return;
    shownNotice = next;
    if (!next) return notice.replaceChildren();
    const text = next.kind === "outbox_full"
      ? strings.outboxFull(OUTBOX_LIMIT)
      : next.kind === "not_loaded"
      ? strings.notLoaded
      : next.kind === "no_message"
      ? strings.noMessage
      : next.kind === "no_place"
      ? strings.noPlace
      : next.kind === "reaction_refused"
      ? `${strings.notReacted} ${errorText(strings, next.error)}`
      : strings.nameLost(next.name);
    notice.replaceChildren(`${text} `, button(strings.dismiss, "link", actions.dismiss));
  }

  function render(next: State) {
    const entered = state?.room.name !== next.room.name;
    state = next;
    if (entered) {
      field.value = drafts.read(DRAFT_KEY + state.room.name) ?? "";
      field.ariaLabel = strings.compose(displayName(state.room.name).name);
      grow(field);
      assist?.left();
    }
    answering.render(state, entered);
    setProperties(form, { hidden: state.room.problem !== null });
    setProperties(field, {
      disabled: !canWrite(state),
      placeholder: isBanned(state)
        ? strings.banPlaceholder
        : isStranger(state)
        ? strings.signInFirst
        : state.room.locked
        ? strings.lockedPlaceholder
        : strings.placeholder,
    });
    form.classList.toggle("closed", field.disabled);
    setText(name, state.me?.name ?? "");
    setProperties(me, {
      hidden: state.me === null,
      ariaLabel: strings.changeNameFrom(state.me?.name ?? ""),
      title: strings.changeName,
    });
    renderHint();
    renderNotice(state.notice);
  }

  return {
    field,
    render,
    focus: () => field.focus(),
    answer(seq) {
      if (field.disabled) return;
      answering.start(seq);
      field.focus();
    },
    load,
    paste: (text) => void loadAssist().then((assist) => assist.paste(text), actions.notLoaded),
  };
}
