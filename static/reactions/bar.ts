import type { Strings } from "../i18n/locale.ts";
import { button, element } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import type { Form } from "../views/message_forms.ts";

export interface BarOptions {
  readonly emoji: readonly string[];
  /** Whether the reader has given it. */
  isMine(emoji: string): boolean;
  choose(emoji: string): void;
  /** Shows all emoji. */
  more(): void;
  /** Closes the bar. */
  close(): void;
}

/** The reactions at hand, in the place of a message's buttons: a toolbar whose keys are the arrows. */
export function createBar(strings: Strings, { emoji, isMine, choose, more, close }: BarOptions): Form {
  const all = button("", "", more);
  Object.assign(all, { ariaLabel: strings.moreEmoji, title: strings.moreEmoji, ariaHasPopup: "dialog" });
  all.append(icon("dots"));
  const buttons = [
    ...emoji.map((one) => Object.assign(button(one, "", () => choose(one)), { ariaPressed: String(isMine(one)) })),
    all,
  ];
  const bar = element("div", { className: "offer", role: "toolbar", ariaLabel: strings.react }, ...buttons);
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const isForward = event.key === "ArrowRight" === (getComputedStyle(bar).direction === "ltr");
    const next = event.key === "ArrowLeft" || event.key === "ArrowRight"
      ? at + (isForward ? 1 : -1)
      : event.key === "Home"
      ? 0
      : event.key === "End"
      ? -1
      : null;
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    buttons.at(next % buttons.length)!.focus();
  });
  // Whoever goes on elsewhere does not want it any more.
  bar.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !bar.contains(relatedTarget as Node)) close();
  });
  const closeOutside = (event: Event) => {
    if (!bar.isConnected) document.removeEventListener("pointerdown", closeOutside);
    else if (!bar.contains(event.target as Node)) close();
  };
  document.addEventListener("pointerdown", closeOutside);
  return { element: bar, focus: () => buttons[0].focus() };
}
