import { element, setProperties } from "../lib/dom.ts";

/** One line of the list. */
export interface Choice {
  readonly key: string;
  /** An emoji, shown before the rest. */
  readonly sign?: string;
  readonly label: string;
  readonly detail: string;
  /** What takes the place of what was typed. */
  readonly text: string;
}

export interface CompletionView {
  readonly isOpen: boolean;
  /** @param label what a screen reader calls the list */
  show(label: string, choices: readonly Choice[]): void;
  close(): void;
  move(step: 1 | -1): void;
  /** The marked line, and whether the reader has moved there. */
  marked(): { choice: Choice; moved: boolean } | null;
}

/**
 * The list of what a text may be completed to, above its field. The focus stays in the field, which is a combobox while
 * the list is open: as a plain text field it must not say that it is expanded.
 */
export function createCompletionView(field: HTMLTextAreaElement, take: (choice: Choice) => void): CompletionView {
  const list = element("ul", { id: "completion", role: "listbox", hidden: true });
  let choices: readonly Choice[] = [];
  let at = 0;
  let moved = false;

  field.before(list);
  // The focus, and with it a phone's keyboard, stays where it is.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const index = [...list.children].indexOf((event.target as Element).closest("li")!);
    if (choices[index]) take(choices[index]);
  });

  function show(label: string, next: readonly Choice[]) {
    const key = choices[at]?.key;
    choices = next;
    if (moved) at = Math.max(0, choices.findIndex((choice) => choice.key === key));
    else at = 0;
    list.ariaLabel = label;
    list.replaceChildren(...choices.map(line));
    setProperties(list, { hidden: false });
    setProperties(field, { role: "combobox", ariaExpanded: "true", ariaHasPopup: "listbox", ariaAutoComplete: "list" });
    field.setAttribute("aria-controls", list.id);
    mark();
  }

  function line({ sign, label, detail }: Choice, index: number): HTMLLIElement {
    const item = element("li", { role: "option", id: `completion-${index}` });
    if (sign) item.append(element("span", { className: "sign", ariaHidden: "true", textContent: sign }));
    item.append(element("bdi", { textContent: label }));
    if (detail) item.append(" ", element("span", { className: "help", textContent: detail }));
    return item;
  }

  function mark() {
    for (const [index, item] of [...list.children].entries()) item.ariaSelected = String(index === at);
    field.setAttribute("aria-activedescendant", `completion-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    if (list.hidden) return;
    choices = [];
    moved = false;
    list.hidden = true;
    list.replaceChildren();
    setProperties(field, { role: null, ariaExpanded: null, ariaHasPopup: null, ariaAutoComplete: null });
    field.removeAttribute("aria-controls");
    field.removeAttribute("aria-activedescendant");
  }

  return {
    get isOpen() {
      return !list.hidden;
    },
    show,
    close,
    move(step) {
      at = (at + step + choices.length) % choices.length;
      moved = true;
      mark();
    },
    marked: () => choices[at] ? { choice: choices[at], moved } : null,
  };
}
