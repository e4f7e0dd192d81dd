import type { Member } from "../../chat/protocol.ts";
import { matchingPeople } from "../composer/people.ts";
import type { Strings } from "../i18n/locale.ts";
import { element, setProperties } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { INPUT_METHOD_KEY_CODE } from "../views/text_entry.ts";

/** People that are offered at a time. */
const CHOICES = 8;
/** The first day that can be chosen: nothing was said here before. */
const FIRST_DAY = "2000-01-01";

export interface FiltersOptions {
  strings: Strings;
  /** Everyone whom one may mean, oneself included: who comes to mind first is first. */
  people(): readonly Member[];
  changed(): void;
}

export interface Filters {
  readonly element: HTMLElement;
  readonly user: string | null;
  /** The end of the chosen day in the browser's time zone, in milliseconds since 1970; null: no day is chosen. */
  readonly until: number | null;
  /** Has a person chosen whose name begins so. */
  choosePerson(typed: string): void;
  clear(): void;
}

/** What narrows a search: a person, and the last day. */
export function createFilters({ strings, people, changed }: FiltersOptions): Filters {
  const texts = strings.search;
  const person = createPersonField();
  const date = element("input", { id: "search-until", type: "date", min: FIRST_DAY, dir: "auto" });
  const filters = element(
    "div",
    { id: "search-filters" },
    element("div", {}, element("label", { htmlFor: "search-from", textContent: texts.from }), person.element),
    element("div", {}, element("label", { htmlFor: "search-until", textContent: texts.until }), date),
  );
  let day = "";
  // While a year is typed, its first digits are years too: those are before the first day.
  date.addEventListener("input", () => {
    const next = date.validity.valid ? date.value : "";
    if (next === day) return;
    day = next;
    changed();
  });

  function createPersonField() {
    const list = element("ul", { id: "search-people", role: "listbox", ariaLabel: texts.people, hidden: true });
    const input = element("input", {
      id: "search-from",
      autocomplete: "off",
      dir: "auto",
      spellcheck: false,
      placeholder: texts.anyone,
      role: "combobox",
      ariaAutoComplete: "list",
      ariaExpanded: "false",
    });
    const name = element("bdi");
    const chip = element("button", { type: "button", className: "chosen", hidden: true }, name, icon("close"));
    let chosen: Member | null = null;
    let choices: readonly Member[] = [];
    let at = 0;

    input.setAttribute("aria-controls", list.id);
    input.addEventListener("input", show);
    input.addEventListener("focus", show);
    input.addEventListener("click", show);
    input.addEventListener("blur", () => {
      hide();
      input.value = "";
    });
    // The focus, and with it a phone's keyboard, stays where it is.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const item = (event.target as Element).closest("li");
      const choice = choices[[...list.children].indexOf(item!)];
      if (choice) choose(choice);
    });
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || event.keyCode === INPUT_METHOD_KEY_CODE) return;
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      if (step !== 0) {
        event.preventDefault();
        if (list.hidden) return show();
        at = (at + step + choices.length) % choices.length;
        mark();
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (!list.hidden && choices[at]) choose(choices[at]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        event.preventDefault();
        hide();
      }
    });
    chip.onclick = () => {
      choose(null);
      input.focus();
      hide();
    };

    function show() {
      choices = matchingPeople(people(), input.value.trim()).slice(0, CHOICES);
      at = 0;
      list.replaceChildren(
        ...choices.map(({ name }, index) =>
          element("li", { role: "option", id: `search-person-${index}` }, element("bdi", { textContent: name }))
        ),
      );
      if (choices.length === 0) list.append(element("li", { className: "help", textContent: texts.nobody }));
      list.hidden = false;
      input.ariaExpanded = "true";
      mark();
    }

    function mark() {
      for (const [index, item] of [...list.children].entries()) {
        item.ariaSelected = choices[index] ? String(index === at) : null;
      }
      if (choices[at]) input.setAttribute("aria-activedescendant", `search-person-${at}`);
      else input.removeAttribute("aria-activedescendant");
      list.children[at]?.scrollIntoView({ block: "nearest" });
    }

    function hide() {
      list.hidden = true;
      input.ariaExpanded = "false";
      input.removeAttribute("aria-activedescendant");
    }

    function choose(member: Member | null) {
      const isSame = chosen?.user === member?.user;
      chosen = member;
      name.textContent = member?.name ?? "";
      const hadFocus = document.activeElement === input;
      setProperties(chip, { hidden: member === null, ariaLabel: member ? texts.notOnly(member.name) : "" });
      setProperties(chip, { title: chip.ariaLabel ?? "" });
      setProperties(input, { hidden: member !== null });
      hide();
      if (member && hadFocus) chip.focus();
      if (!isSame) changed();
    }

    return {
      element: element("div", { className: "person-field" }, input, chip, list),
      input,
      choose,
      get user() {
        return chosen?.user ?? null;
      },
    };
  }

  return {
    element: filters,
    get user() {
      return person.user;
    },
    get until() {
      if (day === "") return null;
      const [year, month, date] = day.split("-").map(Number);
      return new Date(year, month - 1, date + 1).getTime();
    },
    choosePerson(typed) {
      person.choose(null);
      person.input.value = typed;
      person.input.focus();
    },
    clear() {
      person.choose(null);
      date.value = day = "";
    },
  };
}
