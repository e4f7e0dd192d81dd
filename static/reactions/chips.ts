import type { ShownReaction } from "../../client/reactions.ts";
import type { Strings } from "../i18n/locale.ts";
import { element, setProperties, setText } from "../lib/dom.ts";

/** Milliseconds for which one points at a chip, or has the focus on it, before it says who gave the reaction. */
const HINT_AFTER = 400;

export interface ChipActions {
  toggle(emoji: string, on: boolean): void;
  /** Says beside the chip who has given the reaction. */
  hint(chip: HTMLElement, reaction: ShownReaction): void;
  /** Lists everybody who has given it. */
  list(emoji: string): void;
}

export interface Chips {
  readonly element: HTMLElement;
  /** @param mayAdd whether the reader may give reactions; one's own may be taken off anyhow */
  show(reactions: readonly ShownReaction[], mayAdd: boolean): void;
}

interface Chip {
  readonly element: HTMLButtonElement;
  show(reaction: ShownReaction, mayAdd: boolean): void;
}

/** The reactions under a message. Screen readers don't announce them: in a lively room that would never end. */
export function createChips(strings: Strings, actions: ChipActions): Chips {
  const list = element("div", { className: "reactions", ariaLive: "off" });
  let chips = new Map<string, Chip>();

  function show(reactions: readonly ShownReaction[], mayAdd: boolean) {
    const before = chips;
    chips = new Map(reactions.map(({ emoji }) => [emoji, before.get(emoji) ?? createChip(strings, actions)]));
    for (const [emoji, chip] of before) if (!chips.has(emoji)) chip.element.remove();
    let next = list.firstElementChild;
    for (const reaction of reactions) {
      const chip = chips.get(reaction.emoji)!;
      chip.show(reaction, mayAdd);
      if (chip.element === next) next = next.nextElementSibling;
      else list.insertBefore(chip.element, next);
    }
    setProperties(list, { hidden: reactions.length === 0 });
  }

  return { element: list, show };
}

function createChip(strings: Strings, actions: ChipActions): Chip {
  const emoji = element("span", { className: "emoji" });
  const count = element("span");
  const button = element("button", { type: "button", className: "chip", tabIndex: -1 }, emoji, count);
  let reaction: ShownReaction;
  let isOff = false;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const wait = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => button.isConnected && actions.hint(button, reaction), HINT_AFTER);
  };
  const stop = () => clearTimeout(waiting);
  button.onclick = () => {
    stop();
    if (!isOff) actions.toggle(reaction.emoji, !reaction.mine);
  };
  // With the mouse, the menu key, and a long press.
  button.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    stop();
    actions.list(reaction.emoji);
  });
  button.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && wait());
  button.addEventListener("pointerleave", stop);
  button.addEventListener("focus", () => button.matches(":focus-visible") && wait());
  button.addEventListener("blur", stop);

  function show(next: ShownReaction, mayAdd: boolean) {
    reaction = next;
    isOff = !mayAdd && !next.mine;
    setText(emoji, next.emoji);
    setText(count, strings.reactionCount(next.count));
    setProperties(button, {
      ariaLabel: strings.reaction(next.emoji, next.count, next.mine),
      ariaPressed: String(next.mine),
      // Not `disabled`: who gave it can be seen all the same.
      ariaDisabled: isOff ? "true" : null,
    });
  }

  return { element: button, show };
}
