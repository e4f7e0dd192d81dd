/** What one does with reactions, apart from those under the messages. It comes after the first screen. */
import { type Emoji, parseEmoji } from "../composer/emoji.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import type { ShownReaction } from "../../client/reactions.ts";
import type { Controller } from "../controller.ts";
import type { Locale } from "../i18n/locale.ts";
import type { Form } from "../views/message_forms.ts";
import type { MessageRow } from "../views/timeline.ts";
import { createBar } from "./bar.ts";
import type { Picker } from "./picker.ts";
import { atHand, noteGiven } from "./quick.ts";
import { createWho, type ListReacted } from "./who.ts";

export interface ReactionToolsOptions {
  controller: Controller;
  locale: Locale;
  /** The file with all emoji. */
  loadEmoji: () => Promise<string>;
  /** Where it is stored which ones were used. */
  storage: KeyValueStorage;
  listReacted: ListReacted;
}

export interface ReactionTools {
  /** Offers those at hand. @param close closes what is offered */
  offer(row: () => MessageRow, close: () => void): Form;
  hintAt(chip: HTMLElement, seq: number, reaction: ShownReaction): void;
  list(seq: number, emoji: string): void;
}

export function createReactionTools(
  { controller, locale, loadEmoji, storage, listReacted }: ReactionToolsOptions,
): ReactionTools {
  const { strings } = locale;
  const who = createWho(locale, () => controller.state, listReacted);
  let all: Promise<Emoji[]> | null = null;
  let picker: Picker | null = null;

  function offer(row: () => MessageRow, close: () => void): Form {
    const { name } = controller.state.room;
    const isMine = (emoji: string) => row().reactions.some((one) => one.emoji === emoji && one.mine);
    const give = (emoji: string, on: boolean) => {
      const { seq } = row();
      if (on) noteGiven(storage, emoji);
      if (seq !== null) controller.chat.react(name, seq, emoji, on);
    };
    return createBar(strings, {
      emoji: atHand(storage),
      isMine,
      choose(emoji) {
        give(emoji, !isMine(emoji));
        close();
      },
      more() {
        close();
        const from = document.activeElement;
        openPicker((emoji) => give(emoji, true), () => (from as HTMLElement | null)?.focus({ preventScroll: true }));
      },
      close,
    });
  }

  async function openPicker(choose: (emoji: string) => void, closed: () => void) {
    try {
      if (!picker) {
        const { createPicker } = await import("./picker.ts");
        picker = createPicker(locale, { load: () => all ??= load(), storage });
      }
      picker.open(choose, closed);
    } catch {
      controller.notify({ kind: "not_loaded" });
    }
  }

  /** It is tried again with the next picker. */
  function load(): Promise<Emoji[]> {
    return loadEmoji().then(parseEmoji).catch((error) => {
      all = null;
      throw error;
    });
  }

  return { offer, hintAt: who.hintAt, list: who.list };
}
