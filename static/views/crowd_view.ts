import type { Member } from "../../chat/protocol.ts";
import type { Locale } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import {
  knownPeople,
  type ListPeople,
  nextPage,
  NO_PAGES,
  type PeoplePages,
  withName,
  withPage,
} from "../lib/people_pages.ts";
import type { State } from "../state.ts";

/** What the list of people has for a crowd: a field to find someone, and a way to those who are not listed yet. */
export interface CrowdView {
  /** Stands above the list, and below it. */
  readonly above: HTMLElement;
  readonly below: HTMLElement;
  /** Who is shown of those who are here. */
  shown(state: State): readonly Member[];
}

/** @param changed is called when others are to be shown than before */
export function createCrowdView({ strings }: Locale, listPeople: ListPeople, changed: () => void): CrowdView {
  const field = element("input", {
    type: "search",
    placeholder: strings.findPerson,
    ariaLabel: strings.findPerson,
    autocomplete: "off",
    spellcheck: false,
  });
  const status = element("p", { role: "status" });
  const more = button(strings.morePeople, "link", showMore);
  const below = element("div", { className: "crowd" }, status, more);
  let state: State;
  let pages: PeoplePages = NO_PAGES;
  let room = "";
  let loading = false;
  let failed = false;
  let made: { about: unknown[]; known: readonly Member[]; found: readonly Member[] } | undefined;

  field.addEventListener("input", () => {
    failed = false;
    changed();
    find();
  });
  // The list is in a dialog on a phone: Escape would close that too.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || field.value === "") return;
    event.preventDefault();
    field.value = "";
    changed();
  });

  const known = () => lists().known;
  const found = () => lists().found;

  /** Made again only when it is about others: a busy page is rendered with every frame of the screen. */
  function lists() {
    const about = [state.room.members, pages, state.me, field.value];
    if (about.every((part, at) => part === made?.about[at])) return made!;
    const known = knownPeople(state.room.members, pages, state.me);
    return made = { about, known, found: withName(known, field.value) };
  }

  /** Loads pages until there is one whom the list did not have, or no more page. */
  async function showMore() {
    // People have come since all pages were there: they are read again.
    if (pages.complete) pages = NO_PAGES;
    failed = false;
    const before = known().length;
    await load(() => known().length > before);
  }

  /** Loads pages until someone has the name that stands in the field. */
  async function find() {
    if (field.value.trim() !== "") await load(() => field.value.trim() === "" || found().length > 0);
  }

  async function load(isEnough: () => boolean) {
    if (loading) return;
    loading = true;
    const where = room;
    try {
      while (where === room && !pages.complete && !isEnough()) {
        changed();
        const answer = await listPeople(where, nextPage(pages));
        if (where === room) pages = withPage(pages, answer);
      }
    } catch {
      failed = where === room;
    }
    loading = false;
    changed();
    // Someone else may be looked for by now.
    if (!failed && !pages.complete && field.value.trim() !== "" && found().length === 0) await find();
  }

  function statusText(hidden: number, isFound: boolean): string {
    if (failed) return strings.peopleFailed;
    if (field.value.trim() === "") return hidden > 0 ? strings.peopleMore(hidden) : "";
    if (isFound) return "";
    return loading ? strings.searchingPeople : strings.nobodyFound;
  }

  function shown(next: State): readonly Member[] {
    state = next;
    if (state.room.name !== room) {
      room = state.room.name;
      pages = NO_PAGES;
      failed = false;
      field.value = "";
    }
    const hidden = state.room.count - known().length;
    const people = found();
    setText(status, statusText(hidden, people.length > 0));
    setText(more, failed ? strings.tryAgain : strings.morePeople);
    setProperties(more, { hidden: !failed && (hidden <= 0 || field.value.trim() !== "") });
    setProperties(below, { ariaBusy: String(loading) });
    return people;
  }

  return { above: field, below, shown };
}
