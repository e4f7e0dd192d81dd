/** What the next message answers: shown above the field, and kept with the room's draft. */
import type { KeyValueStorage } from "../../client/storage.ts";
import { heldMessage } from "../../client/room/room_state.ts";
import type { Strings } from "../i18n/locale.ts";
import { element, find, setProperties, setText } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { isMuted } from "../lib/mutes.ts";
import type { State } from "../state.ts";
import { createQuoteLine } from "./message_answers.ts";

const ANSWERED_KEY = "parley.answered:";

export interface AnsweringActions {
  /** Loads a message that is to be answered. */
  loadQuoted(seq: number): void;
  /** Shows the message that is answered. */
  showAnswered(seq: number): void;
  /** Nothing is answered any more. */
  stopped(): void;
}

export interface Answering {
  /** The message that is answered. */
  readonly seq: number | null;
  start(seq: number): void;
  stop(): void;
  /** @param entered whether the room is another one than before */
  render(state: State, entered: boolean): void;
}

export function createAnswering(strings: Strings, storage: KeyValueStorage, actions: AnsweringActions): Answering {
  const bar = find("answering", HTMLElement);
  const whom = element("span", { className: "unseen" });
  const line = createQuoteLine(strings);
  const show = element("button", { type: "button", className: "quote", tabIndex: -1 }, whom, line.element);
  const stop = element("button", { type: "button", ariaLabel: strings.stopAnswering, title: strings.stopAnswering });
  let state: State | undefined;
  let seq: number | null = null;

  show.onclick = () => seq !== null && actions.showAnswered(seq);
  stop.append(icon("close"));
  stop.onclick = () => {
    set(null);
    actions.stopped();
  };

  function set(next: number | null) {
    const { position, name } = state!.room;
    seq = next;
    storage.write(ANSWERED_KEY + name, seq === null || !position ? null : JSON.stringify([position.epoch, seq]));
    draw();
  }

  function draw() {
    const { room, muted } = state!;
    const message = seq === null ? undefined : heldMessage(room, seq);
    setProperties(bar, { hidden: seq === null });
    // It describes the field, also while it is hidden.
    if (seq === null) return bar.replaceChildren();
    if (message === undefined) actions.loadQuoted(seq);
    const isHidden = message ? isMuted(muted, message.user) : false;
    setText(whom, strings.answering(isHidden ? "" : message?.from ?? ""));
    line.show({ message, isMuted: isHidden });
    if (!bar.firstChild) bar.append(show, stop);
  }

  /** Places of another life of the room mean nothing. */
  function restore() {
    const { position, name } = state!.room;
    const [epoch, stored] = read(storage, ANSWERED_KEY + name);
    seq = position && epoch === position.epoch && Number.isSafeInteger(stored) ? stored as number : null;
  }

  let isRestored = false;
  let shown: unknown[] = [];
  return {
    get seq() {
      return seq;
    },
    start: set,
    stop: () => seq !== null && set(null),
    render(next, entered) {
      const isAnother = !entered && isRestored && state?.room.position?.epoch !== next.room.position?.epoch;
      state = next;
      if (entered) [isRestored, seq] = [false, null];
      if (next.room.position && (!isRestored || isAnother)) {
        isRestored = true;
        restore();
      }
      const message = seq === null ? null : heldMessage(next.room, seq);
      const look = [next.room.name, seq, message, next.muted];
      if (look.every((value, index) => value === shown[index]) && message !== undefined) return;
      shown = look;
      draw();
    },
  };
}

function read(storage: KeyValueStorage, key: string): unknown[] {
  try {
    const value: unknown = JSON.parse(storage.read(key) ?? "[]");
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // something else wrote it
  }
}
