/** What helps to write, apart from the field itself. It comes after the first screen, or when it is asked for. */
import type { Member } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import type { Locale } from "../i18n/locale.ts";
import { roomNamed } from "../lib/address.ts";
import { button } from "../lib/dom.ts";
import { roomNameProblem } from "../lib/room_name_fault.ts";
import type { State } from "../state.ts";
import { createAdvice } from "./advice.ts";
import { type CommandName, readEntered } from "./commands.ts";
import { createCompletion } from "./completion.ts";
import { insertText } from "./insert_text.ts";
import { offerBlocks } from "./paste_offer.ts";
import { peopleIn, personNamed } from "./people.ts";

/** What commands do, apart from the composer. */
export interface CommandActions {
  /** @returns why the name is not taken, or null */
  rename(name: string): Promise<string | null>;
  changeName(): void;
  goTo(room: string): void;
  changeRoom(): void;
  mute(person: Member): void;
  /** Searches the room; without words it shows where one does. */
  search(words: string): void;
  /** Shows all keys and commands. */
  help(): void;
}

export interface AssistOptions {
  field: HTMLTextAreaElement;
  /** The field with its frame. */
  frame: HTMLElement;
  locale: Locale;
  state: () => State;
  /** Sends a text, and empties the field. */
  send(text: string): void;
  actions: CommandActions;
  loadEmoji: () => Promise<string>;
  storage: KeyValueStorage;
}

export interface Assist {
  /** Does what a text with a slash asks for, or says beside the field why not. */
  run(text: string): Promise<void>;
  /** Shows what is to be completed at the caret. */
  refresh(): void;
  /** Another room's text is in the field. */
  left(): void;
  /** Inserts what was pasted while the focus was elsewhere. */
  paste(text: string): void;
}

export function createAssist(
  { field, frame, locale, state, send, actions, loadEmoji, storage }: AssistOptions,
): Assist {
  const { strings } = locale;
  const advice = createAdvice(frame);
  const completion = createCompletion({ field, locale, state, loadEmoji, storage });
  /** Whether a command waits for its answer. */
  let isRunning = false;

  // What was said about the text before is over, but for an offer about a part of it.
  let isAboutText = false;
  field.addEventListener("input", () => isAboutText && say(null));
  const offerBlock = offerBlocks(field, strings, advice);

  function say(text: string | null, ...buttons: HTMLButtonElement[]) {
    isAboutText = text !== null;
    if (text === null) advice.clear();
    else advice.show(text, buttons, () => isAboutText = false);
  }

  function empty() {
    insertText(field, 0, field.value.length, "");
  }

  async function run(text: string): Promise<void> {
    if (isRunning) return;
    const entered = readEntered(text);
    if (entered.kind === "message") {
      advice.clear();
      return send(entered.text);
    }
    if (entered.kind === "unknown") {
      return say(
        strings.noCommand(entered.word),
        button(strings.sendAsText, "link", () => {
          advice.clear();
          send(text);
          field.focus();
        }),
      );
    }
    isRunning = true;
    const problem = await does[entered.name](entered.argument);
    isRunning = false;
    if (problem !== null) say(problem);
  }

  /** Each says why it is not done, or does it and empties the field. */
  const does: Record<Exclude<CommandName, "me">, (argument: string) => string | null | Promise<string | null>> = {
    async nick(name) {
      if (name === "") return done(actions.changeName);
      const written = field.value;
      const problem = await actions.rename(name);
      if (problem !== null) return problem;
      if (field.value === written) empty();
      return strings.renamed(name);
    },
    room(name) {
      if (name === "") return done(actions.changeRoom);
      const room = roomNamed(name);
      return room === null ? roomNameProblem(strings, name) : done(() => actions.goTo(room));
    },
    mute(name) {
      if (name === "") return strings.muteWhom;
      const person = personNamed(peopleIn(state()), name.replace(/^[@＠]/, ""));
      if (!person) return strings.nobodyNamed(name);
      done(() => actions.mute(person));
      return strings.mutedNow(person.name);
    },
    search: (words) => done(() => actions.search(words)),
    help: () => done(actions.help),
  };

  function done(action: () => void): null {
    // First, because the next room's text comes into the field.
    empty();
    action();
    return null;
  }

  function left() {
    advice.clear();
    completion.refresh();
  }

  function paste(text: string) {
    insertText(field, field.selectionStart, field.selectionEnd, text);
    offerBlock(text);
  }

  return { run, refresh: completion.refresh, left, paste };
}
