import { element, find, setText } from "./dom.ts";
import type { State } from "./state.ts";
import type { Tongue } from "./strings.ts";

/** Who is here: beside the conversation where there is room, in a dialog where there is none. */
export function createPeopleView(tongue: Tongue): { render(state: State): void } {
  const { strings, locale } = tongue;
  const aside = find("people", HTMLElement);
  const opener = find("show-people", HTMLButtonElement);
  const dialog = element("dialog", { className: "sheet", ariaLabel: strings.people });
  const collator = new Intl.Collator(locale, { numeric: true });
  const title = element("h2", {}, strings.people, " ");
  const count = element("span", { className: "count" });
  const list = element("ul", { role: "list" });
  const more = element("p");
  const panel = element("div", { className: "panel" }, title, list, more);
  const close = element("button", { type: "button", className: "outlined", textContent: strings.close });
  let members: State["room"]["members"] | null = null;
  let me: State["me"] = null;

  title.append(count);
  aside.ariaLabel = strings.people;
  aside.append(panel);
  dialog.append(close);
  document.body.append(dialog);
  close.onclick = () => dialog.close();
  // There is one panel, and it is where it can be seen.
  opener.onclick = () => {
    dialog.prepend(panel);
    dialog.showModal();
  };
  dialog.onclose = () => aside.append(panel);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  matchMedia("(width >= 50rem)").addEventListener("change", () => dialog.close());

  function render(state: State) {
    const { room } = state;
    const size = new Intl.NumberFormat(locale).format(room.count);
    setText(count, room.joined ? size : "");
    setText(opener, strings.peopleCount(room.count));
    opener.hidden = !room.joined;
    aside.hidden = room.members.length === 0;
    const hidden = room.count - room.members.length;
    setText(more, hidden > 0 ? strings.peopleMore(hidden) : "");
    if (members === room.members && me === state.me) return;
    ({ members } = room);
    ({ me } = state);
    const sorted = members.toSorted((one, other) =>
      Number(other.user === me?.user) - Number(one.user === me?.user) || collator.compare(one.name, other.name)
    );
    list.replaceChildren(...sorted.map((member) => {
      const mine = member.user === me?.user;
      return element("li", {}, element("bdi", { textContent: member.name }), mine ? ` (${strings.you})` : "");
    }));
  }

  return { render };
}
