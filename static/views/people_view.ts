import type { Member } from "../../chat/protocol.ts";
import type { Locale } from "../i18n/locale.ts";
import { button, element, find, icon, setProperties, setText } from "../lib/dom.ts";
import { isMuted } from "../lib/mutes.ts";
import type { State } from "../state.ts";

export interface PeopleActions {
  /** Opens the dialog about someone. */
  openPerson(person: Member): void;
  unmute(user: string): void;
  moderate(): void;
}

/** Who is here: beside the conversation on a wide screen, in a dialog on a narrow one. */
export function createPeopleView(locale: Locale, actions: PeopleActions): { render(state: State): void } {
  const { strings, tag } = locale;
  const aside = find("people", HTMLElement);
  const opener = find("show-people", HTMLButtonElement);
  const [number, words] = [element("span"), element("span", { className: "words" })];
  const dialog = element("dialog", { className: "sheet", ariaLabel: strings.people });
  const numbers = new Intl.NumberFormat(tag);
  const collator = new Intl.Collator(tag, { numeric: true });
  const title = element("h2", {}, strings.people, " ");
  const count = element("span", { className: "count" });
  const list = element("ul", { role: "list" });
  const more = element("p");
  const mutedList = element("ul", { role: "list" });
  const mutedSection = element("section", { hidden: true }, element("h3", { textContent: strings.muted }), mutedList);
  const moderate = button(strings.moderate, "quiet", () => {
    dialog.close();
    actions.moderate();
  });
  const panel = element("div", { className: "panel" }, title, list, more, mutedSection, moderate);
  const close = element("button", { type: "button", className: "outlined", textContent: strings.close });
  let members: State["room"]["members"] | null = null;
  let me: State["me"] = null;
  let muted: State["muted"] | null = null;

  title.append(count);
  aside.ariaLabel = strings.people;
  opener.append(
    icon("M10 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c0-3 2.500-5 6-5s6 2 6 5"),
    number,
    words,
  );
  aside.append(panel);
  dialog.append(element("div", { className: "buttons" }, close));
  document.body.append(dialog);
  close.onclick = () => dialog.close();
  // There is one panel, which moves to where it can be seen.
  opener.onclick = () => {
    dialog.prepend(panel);
    dialog.showModal();
  };
  dialog.onclose = () => aside.append(panel);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  matchMedia("(width >= 78rem)").addEventListener("change", () => dialog.close());

  function render(state: State) {
    const { room } = state;
    setText(count, room.joined ? numbers.format(room.count) : "");
    setText(words, strings.peopleCount(room.count));
    setText(number, numbers.format(room.count));
    setProperties(opener, { hidden: !room.joined, ariaLabel: strings.peopleCount(room.count) });
    const nobody = room.members.length === 0;
    // The messages that came with the page don't move when the people come.
    const mayCome = room.position !== null && !["stopped", "signed_out"].includes(state.status.kind);
    setProperties(aside, { hidden: nobody && !mayCome });
    setProperties(panel, { hidden: nobody });
    const hidden = room.count - room.members.length;
    setText(more, hidden > 0 ? strings.peopleMore(hidden) : "");
    moderate.classList.toggle("active", state.moderation !== null);
    setText(moderate, state.moderation === null ? strings.moderate : strings.moderating);
    if (members === room.members && me === state.me && muted === state.muted) return;
    ({ members } = room);
    ({ me, muted } = state);
    mutedSection.hidden = muted.length === 0;
    mutedList.replaceChildren(...muted.toReversed().map(mutedLine));
    const sorted = members.toSorted((one, other) =>
      Number(other.user === me?.user) - Number(one.user === me?.user) || collator.compare(one.name, other.name)
    );
    list.replaceChildren(...sorted.map(memberLine));
  }

  function memberLine(member: Member): HTMLLIElement {
    const name = element("bdi", { textContent: member.name });
    if (member.user === me?.user) return element("li", {}, name, ` (${strings.you})`);
    const person = button("", "person", () => {
      dialog.close();
      actions.openPerson(member);
    });
    person.ariaHasPopup = "dialog";
    person.append(name);
    if (isMuted(muted ?? [], member.user)) {
      person.append(element("span", { className: "help", textContent: ` (${strings.mutedMark})` }));
    }
    return element("li", {}, person);
  }

  function mutedLine({ user, name }: Member): HTMLLIElement {
    const unmute = button(strings.unmute, "link", () => actions.unmute(user));
    unmute.ariaLabel = `${strings.unmute}: ${name}`;
    return element("li", {}, element("bdi", { textContent: name }), " ", unmute);
  }

  return { render };
}
