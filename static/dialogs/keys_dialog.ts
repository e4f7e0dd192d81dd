import type { Locale } from "../i18n/locale.ts";
import { element } from "../lib/dom.ts";
import { isApple } from "../lib/command_key.ts";
import { type Combination, type KeyGroup, keyNames, KEYS } from "./keys.ts";
import { createSheet } from "./sheet.ts";

/** The list of the page's keys and commands. */
export function createKeysDialog({ strings }: Locale): { open(): void } {
  const sheet = createSheet(strings, strings.keys);
  const hasCommandKey = isApple();
  sheet.title.textContent = strings.keys;
  // The list has the focus, so that arrow keys scroll it.
  Object.assign(sheet.body, {
    className: "keys",
    role: "region",
    ariaLabel: strings.keys,
    tabIndex: 0,
    autofocus: true,
  });
  sheet.body.append(...KEYS.flatMap(group), ...commands());

  function commands(): HTMLElement[] {
    const lines = Object.entries(strings.commands).map(([name, [argument, help]]) =>
      element(
        "div",
        {},
        element("dt", { textContent: help }),
        element("dd", {}, element("kbd", { textContent: `/${name} ${argument}`.trim() })),
      )
    );
    return [element("h3", { textContent: strings.commandList }), element("dl", {}, ...lines)];
  }

  function group({ name, keys }: KeyGroup): HTMLElement[] {
    const lines = keys.map(([action, ...combinations]) =>
      element(
        "div",
        {},
        element("dt", { textContent: strings.keyActions[action] }),
        element("dd", {}, ...combinations.flatMap((keys, at) => at === 0 ? shown(keys) : [" / ", ...shown(keys)])),
      )
    );
    return [element("h3", { textContent: strings.keyGroups[name] }), element("dl", {}, ...lines)];
  }

  function shown(combination: Combination): (string | HTMLElement)[] {
    const keys = keyNames(combination, hasCommandKey).map((textContent) => element("kbd", { textContent }));
    return keys.flatMap((key, at) => at === 0 ? key : [hasCommandKey ? " " : "+", key]);
  }

  return { open: sheet.open };
}
