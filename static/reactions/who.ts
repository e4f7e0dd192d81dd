/** Who has given a reaction: some names beside it, and everybody in a dialog. */
import type { ReactionPeople } from "../../chat/protocol.ts";
import type { ShownReaction } from "../../client/reactions.ts";
import { newestMessages } from "../../client/room/room_state.ts";
import { createSheet, type Sheet } from "../dialogs/sheet.ts";
import type { Locale } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import type { State } from "../state.ts";

/** Names beside a reaction. More are no hint any more. */
const NAMED = 20;

/** A page of those who gave a message a reaction, behind the user `after`; null if it can't be loaded now. */
export type ListReacted = (room: string, seq: number, emoji: string, after: string) => Promise<
  {
    reactions: ReactionPeople[];
    more: boolean;
  } | null
>;

export interface Who {
  hintAt(chip: HTMLElement, seq: number, reaction: ShownReaction): void;
  list(seq: number, emoji: string): void;
}

export function createWho({ strings }: Locale, state: () => State, listReacted: ListReacted): Who {
  const hint = element("div", { className: "hint", role: "tooltip", id: "reacted-by" });
  let hide = () => {};
  let sheet: Sheet | null = null;
  /** The last list that was opened. What an earlier one still brings is ignored. */
  let opened: symbol | null = null;

  function hintAt(chip: HTMLElement, seq: number, { emoji, count, users, mine }: ShownReaction) {
    hide();
    const { room, me } = state();
    const names = namesIn(state());
    const others = users.filter((user) => user !== me?.user);
    show(chip, `${emoji} ${sentence(others.flatMap((user) => names.get(user) ?? []), count, mine)}`);
    const isKnown = others.every((user) => names.has(user)) && others.length + (mine ? 1 : 0) === count;
    if (isKnown) return;
    listReacted(room.name, seq, emoji, "").then((page) => {
      const found = page?.reactions[0];
      if (!found || hint.parentElement !== chip.parentElement || chip.getAttribute("aria-describedby") !== hint.id) {
        return;
      }
      const named = found.people.filter(({ user }) => user !== me?.user).slice(0, NAMED).map(({ from }) => from);
      setText(hint, `${emoji} ${sentence(named, found.count, mine)}`);
    }).catch(() => {/* the names that are known stay */});
  }

  /** The reader first. */
  function sentence(names: readonly string[], count: number, mine: boolean): string {
    const named = [...mine ? [strings.youFirst] : [], ...names];
    return strings.reactedBy(named, Math.max(0, count - named.length));
  }

  function show(chip: HTMLElement, text: string) {
    const beside = chip.parentElement!;
    setText(hint, text);
    // Where there is room it does not cover the message that it is about.
    hint.classList.add("below");
    beside.append(hint);
    const end = beside.closest("#log")?.getBoundingClientRect().bottom ?? innerHeight;
    hint.classList.toggle("below", hint.getBoundingClientRect().bottom <= end);
    chip.setAttribute("aria-describedby", hint.id);
    const ended = new AbortController();
    const { signal } = ended;
    hide = () => {
      ended.abort();
      hint.remove();
      chip.removeAttribute("aria-describedby");
    };
    const onKey = ({ key }: KeyboardEvent) => key === "Escape" && hide();
    for (const [target, event] of [[chip, "pointerleave"], [beside, "pointerleave"], [chip, "blur"]] as const) {
      target.addEventListener(event, () => hide(), { signal });
    }
    document.addEventListener("keydown", onKey, { signal, capture: true });
    document.addEventListener("pointerdown", () => hide(), { signal, capture: true });
  }

  function list(seq: number, emoji: string) {
    hide();
    sheet ??= createSheet(strings, "");
    const { title, body } = sheet;
    const { room, me } = state();
    const own = Symbol();
    opened = own;
    const people = element("ul");
    const more = button(strings.morePeople, "quiet", () => void load());
    const problem = element("p", { className: "problem", role: "status" });
    let after = "";
    body.className = "panel reacted";
    body.replaceChildren(people, problem, more);
    setText(title, strings.whoReacted(emoji));
    setProperties(title.closest("dialog")!, { ariaLabel: strings.whoReacted(emoji) });
    const message = [...room.messages, ...newestMessages(room)].find((one) => one.seq === seq);
    if (message?.reacted?.includes(emoji)) people.append(line(strings.youFirst));

    async function load() {
      more.hidden = true;
      setText(problem, "");
      const page = await listReacted(room.name, seq, emoji, after).catch(() => null);
      if (opened !== own) return;
      if (!page) setText(problem, strings.whoFailed);
      const found = page?.reactions[0]?.people ?? [];
      people.append(...found.filter(({ user }) => user !== me?.user).map(({ from }) => line(from)));
      after = found.at(-1)?.user ?? after;
      more.hidden = page !== null && !page.more;
    }
    void load();
    sheet.open();
  }

  return { hintAt, list };
}

function line(name: string): HTMLLIElement {
  return element("li", {}, element("bdi", { textContent: name }));
}

/** The names of those who are here, or have said something that is there, by their ids. */
function namesIn({ room }: State): Map<string, string> {
  return new Map([
    ...room.messages.map(({ user, from }) => [user, from] as const),
    ...room.members.map(({ user, name }) => [user, name] as const),
  ]);
}
