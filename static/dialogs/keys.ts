/** Every key of the page, by where it works. Its words are `keyGroups` and `keyActions` in i18n/. */
import type { Strings } from "../i18n/locale.ts";

/** Keys that are pressed together. "Mod" is ⌘ on Apple's keyboards, Ctrl on others. */
export type Combination = readonly string[];

export interface KeyGroup {
  readonly name: keyof Strings["keyGroups"];
  /** What each does, and the combinations that do it. */
  readonly keys: readonly (readonly [action: keyof Strings["keyActions"], ...combinations: Combination[]])[];
}

export const KEYS: readonly KeyGroup[] = [
  {
    name: "everywhere",
    keys: [
      ["showKeys", ["?"]],
      ["move", ["Tab"], ["Shift", "Tab"]],
      ["close", ["Esc"]],
    ],
  },
  {
    name: "rooms",
    keys: [
      ["switchRoom", ["Mod", "K"]],
      ["stepRoom", ["Alt", "↑"], ["Alt", "↓"]],
      ["stepUnread", ["Alt", "Shift", "↑"], ["Alt", "Shift", "↓"]],
    ],
  },
  {
    name: "conversation",
    keys: [
      ["search", ["Mod", "F"]],
      ["stepMessage", ["↑"], ["↓"]],
      ["stepControl", ["←"], ["→"]],
      ["use", ["Enter"]],
      ["react", ["+"]],
      ["goBack", ["Alt", "←"]],
      ["jump", ["Home"], ["End"]],
      ["leave", ["Esc"]],
    ],
  },
  {
    name: "composer",
    keys: [
      ["send", ["Enter"]],
      ["breakLine", ["Shift", "Enter"]],
      ["editLast", ["↑"]],
      ["complete", ["@"], [":"], ["/"]],
      ["formatPaste", ["Mod", "E"]],
      ["cancel", ["Esc"]],
    ],
  },
];

/** As it stands on the keys of an Apple keyboard; on others only "Mod" has another name. */
const ON_APPLE: Record<string, string> = { Mod: "⌘", Alt: "⌥", Shift: "⇧" };

/** A combination as it is shown: `["Mod", "K"]` is Ctrl and K, or ⌘ and K. */
export function keyNames(combination: Combination, isApple: boolean): string[] {
  return combination.map((key) => isApple ? ON_APPLE[key] ?? key : key === "Mod" ? "Ctrl" : key);
}
