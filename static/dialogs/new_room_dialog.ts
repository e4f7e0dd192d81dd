import type { Locale } from "../i18n/locale.ts";
import { roomNamed } from "../lib/address.ts";
import { newRoomName } from "../lib/room_name.ts";
import { roomNameProblem } from "../lib/room_name_fault.ts";
import { createFieldDialog, type FieldDialog } from "./field_dialog.ts";

/**
 * Makes a room that only people with its link can find.
 * @param made gets the room's name
 */
export function createNewRoomDialog({ strings }: Locale, made: (room: string) => void): FieldDialog {
  const dialog = createFieldDialog(strings, {
    title: strings.newRoom,
    label: strings.newRoomField,
    hint: strings.newRoomHint,
    submit: strings.makeRoom,
    optional: true,
  }, (value) => {
    const stem = roomNamed(value.trim() || strings.newRoomStem);
    if (stem === null) return roomNameProblem(strings, value);
    dialog.close(); // first, because it returns the focus
    made(newRoomName(stem, (bytes) => crypto.getRandomValues(bytes)));
    return null;
  });
  return dialog;
}
