import type { Member } from "../../chat/protocol.ts";
import type { Locale } from "../i18n/locale.ts";
import { createAvatar } from "../lib/avatar.ts";
import { button, element, find, modal, setProperties, setText } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { isMuted } from "../lib/mutes.ts";
import type { ListPeople } from "../lib/people_pages.ts";
import type { State } from "../state.ts";
import type { CrowdView } from "./crowd_view.ts";

export interface PeopleActions {
  /** Opens the dialog about someone. */
  openPerson(person: Member): void;
  unmute(user: string): void;
  moderate(): void;
  listPeople: ListPeople;
}

/** Who is here: beside the conversation on a wide screen, in a dialog on a narrow one. */
export function createPeopleView(locale: Locale, actions: PeopleActions): { render(state: State): void } {
  const { strings, tag } = locale;
  const aside = find("people", HTMLElement);
  const opener = find("show-people", HTMLButtonElement);
  const [number, words] = [element("span", { ariaHidden: "true" }), element("span", { className: "words" })];
  const close = button(strings.close, "outlined", () => dialog.close());
  const dialog = modal("sheet", strings.people, element("div", { className: "buttons" }, close));
  const numbers = new Intl.NumberFormat(tag);
  const collator = new Intl.Collator(tag, { numeric: true });
  const title = element("h2", {}, strings.people, " ");
  const count = element("span", { className: "count" });
  const list = element("ul", { role: "list" });
  const above = element("div");
  const below = element("div");
  const mutedList = element("ul", { role: "list" });
  const mutedSection = element("section", { hidden: true }, element("h3", { textContent: strings.muted }), mutedList);
  const moderate = button(strings.moderate, "quiet", () => {
    dialog.close();
    actions.moderate();
  });
  const panel = element("div", { className: "panel" }, title, above, list, below, mutedSection, moderate);
  let state: State;
  let shown: readonly Member[] | null = null;
  /** What a crowd needs is loaded with the first one. */
  let crowd: CrowdView | null = null;
  let isLoading = false;
  let me: State["me"] = null;
  let muted: State["muted"] | null = null;

  title.append(count);
  aside.ariaLabel = strings.people;
  opener.append(icon("person"), number, words);
  aside.append(panel);
  // There is one panel, which moves to where it can be seen.
  opener.onclick = () => {
    dialog.prepend(panel);
    dialog.showModal();
  };
  dialog.onclose = () => aside.append(panel);
  matchMedia("(width >= 78rem)").addEventListener("change", () => dialog.close());

  async function loadCrowd() {
    if (isLoading) return;
    isLoading = true;
    // Without it the first hundred are there all the same.
    const { createCrowdView } = await import("./crowd_view.ts");
    crowd = createCrowdView(locale, actions.listPeople, () => render(state));
    above.append(crowd.above);
    below.append(crowd.below);
    render(state);
  }

  /** Of a crowd the server lists a part by itself. The others are asked for. */
  function peopleIn({ room }: State): readonly Member[] {
    const isCrowd = room.joined && room.members.length !== room.count;
    for (const part of [above, below]) setProperties(part, { hidden: !isCrowd });
    if (!isCrowd) return room.members;
    if (crowd) return crowd.shown(state);
    loadCrowd().catch(() => {});
    return room.members;
  }

  function render(next: State) {
    state = next;
    const { room } = state;
    setText(count, room.joined ? numbers.format(room.count) : "");
    setText(words, strings.peopleCount(room.count));
    setText(number, numbers.format(room.count));
    setProperties(opener, { hidden: !room.joined });
    const nobody = room.members.length === 0;
    // The messages that came with the page don't move when the people come.
    const mayCome = room.position !== null && !["stopped", "signed_out"].includes(state.status.kind);
    setProperties(aside, { hidden: nobody && !mayCome });
    setProperties(panel, { hidden: nobody });
    moderate.classList.toggle("active", state.moderation !== null);
    setText(moderate, state.moderation === null ? strings.moderate : strings.moderating);
    const people = peopleIn(state);
    if (people === shown && me === state.me && muted === state.muted) return;
    shown = people;
    ({ me, muted } = state);
    mutedSection.hidden = muted.length === 0;
    mutedList.replaceChildren(...muted.toReversed().map(mutedLine));
    // Oneself first, also where the server has listed others.
    const isListed = me === null || nobody || crowd !== null || people.some(({ user }) => user === me?.user);
    const sorted = [...isListed ? [] : [me!], ...people].toSorted((one, other) =>
      Number(other.user === me?.user) - Number(one.user === me?.user) || collator.compare(one.name, other.name)
    );
    list.replaceChildren(...sorted.map(memberLine));
  }

  function memberLine(member: Member): HTMLLIElement {
    const person = button("", "person", () => {
      dialog.close();
      actions.openPerson(member);
    });
    person.ariaHasPopup = "dialog";
    const name = element("span", {}, element("bdi", { textContent: member.name }));
    person.append(createAvatar(member), name);
    const mark = member.user === me?.user ? strings.you : isMuted(muted ?? [], member.user) ? strings.mutedMark : null;
    if (mark !== null) name.append(element("span", { className: "help", textContent: ` (${mark})` }));
    return element("li", {}, person);
  }

  function mutedLine({ user, name }: Member): HTMLLIElement {
    const unmute = button(strings.unmute, "link", () => actions.unmute(user));
    unmute.ariaLabel = `${strings.unmute}: ${name}`;
    return element("li", {}, element("bdi", { textContent: name }), " ", unmute);
  }

  return { render };
}
