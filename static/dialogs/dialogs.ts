import type { Member } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import { insertText } from "../composer/insert_text.ts";
import type { Controller } from "../controller.ts";
import { type Locale, renameText } from "../i18n/locale.ts";
import type { State } from "../state.ts";
import { createFieldDialog } from "./field_dialog.ts";
import { createKeysDialog } from "./keys_dialog.ts";
import { createModerationDialog } from "./moderation_dialog.ts";
import { createPersonDialog } from "./person_dialog.ts";
import { createDateDialog } from "./date_dialog.ts";
import { createRoomActions } from "./room_actions.ts";
import { createNewRoomDialog } from "./new_room_dialog.ts";
import { createRoomDialog } from "./room_dialog.ts";
import { createShareDialog } from "./share_dialog.ts";
import { createSettingsDialog } from "./settings_dialog.ts";
import { createThreadDialog, type ThreadDialogActions } from "./thread_dialog.ts";

/** All that open over the page. */
export interface Dialogs {
  changeName(): void;
  /** @param suggested stands in the field */
  changeRoom(suggested: string): void;
  /** What one can do with a room. */
  openRoom(room: string): void;
  jumpToDate(): void;
  moderate(): void;
  openPerson(person: Member): void;
  /** All answers to a message of the room that is shown. */
  openThread(seq: number): void;
  /** Ways to give others the link of the room that is shown, or of a message in it. */
  share(seq?: number): void;
  /** Makes a room that only people with its link can find. */
  newRoom(): void;
  openSettings(): void;
  showKeys(): void;
  render(state: State): void;
}

export interface DialogOptions {
  controller: Controller;
  locale: Locale;
  /** Loads the rooms that are listed for everyone, which the state has then. */
  loadListed: () => Promise<void>;
  /** The reader's choices, which all tabs of the browser share. */
  preferences: KeyValueStorage;
  /** The address of a room, without its host. */
  pathOf: (room: string, seq?: number) => string;
  goTo: (room: string) => void;
  /** Where one writes the next message. */
  field: HTMLTextAreaElement;
  answers: Pick<ThreadDialogActions, "answer" | "goTo">;
}

export function createDialogs(
  { controller, locale, preferences, loadListed, pathOf, goTo, field, answers }: DialogOptions,
): Dialogs {
  const { strings } = locale;
  const changeName = () => name.open(controller.state.me?.name ?? "");
  const name = createFieldDialog(strings, {
    title: strings.changeName,
    label: strings.nameField,
    hint: strings.nameHint(controller.state.limits.name),
    submit: strings.save,
  }, async (value) => renameText(strings, await controller.chat.rename(value.trim())));
  const share = createShareDialog(locale, (room, seq) => new URL(pathOf(room, seq), location.href).href);
  const newRoom = createNewRoomDialog(locale, (room) => {
    goTo(room);
    // Who makes a room wants to bring someone along.
    share.open(room);
  });
  const room = createRoomDialog(locale, {
    state: () => controller.state,
    loadListed,
    goTo,
    newRoom: () => newRoom.open(""),
  });
  const date = createDateDialog(locale, (day) => controller.goToDate(day));
  const actions = createRoomActions(locale, { controller, goTo, jumpToDate: date.open });
  const moderation = createModerationDialog(locale, controller.moderator);
  const person = createPersonDialog(locale, {
    mute: (whom) => controller.mute(whom),
    unmute: (user) => controller.unmute(user),
    ban: controller.moderator.ban,
    mention(name) {
      const { selectionStart: start, selectionEnd: end } = field;
      const space = /\S$/.test(field.value.slice(0, start)) ? " " : "";
      insertText(field, start, end, `${space}@${name} `);
    },
    changeName,
  });
  const thread = createThreadDialog(locale, {
    ...answers,
    state: () => controller.state,
    load: (seq) => controller.chat.loadAnswers(seq),
    forget: (seq) => controller.chat.forgetAnswers(seq),
  });
  const keys = createKeysDialog(locale);
  const settings = createSettingsDialog(locale, { preferences, showKeys: keys.open });
  return {
    changeName,
    changeRoom: room.open,
    openRoom: actions.open,
    jumpToDate: date.open,
    moderate: moderation.open,
    openPerson: person.open,
    openThread: thread.open,
    share: (seq) => share.open(controller.state.room.name, seq),
    newRoom: () => newRoom.open(""),
    openSettings: settings.open,
    showKeys: keys.open,
    render(state) {
      person.render(state);
      thread.render(state);
      moderation.render(state);
    },
  };
}
