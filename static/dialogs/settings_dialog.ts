import type { KeyValueStorage } from "../../client/storage.ts";
import type { Locale } from "../i18n/locale.ts";
import { button } from "../lib/dom.ts";
import { PREFERENCES } from "../lib/web_storage.ts";
import { checkbox, createSheet, select } from "./sheet.ts";

/** The value of a choice that is not stored: the browser or the system decides. */
const AS_SYSTEM = "";

export interface SettingsOptions {
  /** What is written to it holds at once, in all tabs. */
  preferences: KeyValueStorage;
  showKeys(): void;
}

/** One setting: its elements, and what brings the stored value into them. */
export interface SettingRow {
  readonly elements: readonly HTMLElement[];
  refresh(): void;
}

/** The reader's own settings for this browser. Each row is a setting of its own, and is kept as soon as it is chosen. */
export function createSettingsDialog({ strings }: Locale, { preferences, showKeys }: SettingsOptions) {
  const sheet = createSheet(strings, strings.settings);
  const rows: SettingRow[] = [
    // A language says its name in itself, for those who can't read the present one.
    choice(preferences, PREFERENCES.language, strings.language, [
      [AS_SYSTEM, strings.asSystem],
      ["en", "English"],
      ["ko", "한국어"],
    ]),
    choice(preferences, PREFERENCES.theme, strings.theme, [
      [AS_SYSTEM, strings.asSystem],
      ["light", strings.light],
      ["dark", strings.dark],
    ]),
    choice(preferences, PREFERENCES.roomOrder, strings.roomOrder, [
      [AS_SYSTEM, strings.byName],
      ["newest", strings.newestFirst],
    ]),
    onOrOff(preferences, PREFERENCES.characterKeys, strings.characterKeys, strings.characterKeysHelp),
  ];
  const refresh = () => rows.forEach((row) => row.refresh());

  sheet.title.textContent = strings.settings;
  sheet.body.append(...rows.flatMap(({ elements }) => elements));
  sheet.foot.prepend(button(strings.keys, "quiet", () => {
    sheet.close();
    showKeys();
  }));
  addEventListener("storage", refresh);

  return {
    open() {
      refresh();
      sheet.open();
    },
  };
}

/** One of several values; what was stored and is none of them counts as the first. */
function choice(storage: KeyValueStorage, key: string, label: string, values: [string, string][]): SettingRow {
  const row = select(label, values, AS_SYSTEM);
  for (const option of row.field.options) if (key === PREFERENCES.language) option.lang = option.value;
  row.field.onchange = () => storage.write(key, row.field.value || null);
  return {
    elements: [row.label, row.field],
    refresh() {
      const stored = storage.read(key) ?? AS_SYSTEM;
      row.field.value = values.some(([value]) => value === stored) ? stored : AS_SYSTEM;
    },
  };
}

/** What is on unless "off" is stored. */
function onOrOff(storage: KeyValueStorage, key: string, label: string, help: string): SettingRow {
  const row = checkbox(label, help);
  row.field.onchange = () => storage.write(key, row.field.checked ? null : "off");
  return {
    elements: [row.element],
    refresh: () => row.field.checked = storage.read(key) !== "off",
  };
}
