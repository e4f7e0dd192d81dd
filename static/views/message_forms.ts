/** What stands in a message while its author changes it: an editor in the place of its text, a question beside it. */
import type { Strings } from "../i18n/locale.ts";
import { button, element, setText } from "../lib/dom.ts";
import { enterSubmits, grow, length, sendable } from "./text_entry.ts";

export interface Form {
  readonly element: HTMLElement;
  /** Once it is in the page. */
  focus(): void;
}

export interface EditorActions {
  /** Code points. */
  textLimit(): number;
  /** Gets a text that the server accepts. */
  save(text: string): void;
  cancel(): void;
}

export function createEditor(strings: Strings, text: string, { textLimit, save, cancel }: EditorActions): Form {
  const field = element("textarea", { value: text, rows: 1, dir: "auto", ariaLabel: strings.editLabel });
  const problem = element("span", { className: "problem", role: "status" });
  const submit = () => {
    const text = sendable(field.value);
    const excess = length(text) - textLimit();
    if (text.trim() === "") setText(problem, strings.errors.text_empty);
    else if (excess > 0) setText(problem, strings.over(excess));
    else save(text);
  };
  field.addEventListener("input", () => grow(field));
  enterSubmits(field, "done", submit);
  return {
    element: element(
      "div",
      { className: "editor" },
      field,
      element(
        "p",
        {},
        button(strings.save, "link strong", submit),
        button(strings.cancel, "link", cancel),
        element("span", { className: "help", textContent: strings.editHelp }),
        problem,
      ),
    ),
    focus() {
      grow(field);
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    },
  };
}

/**
 * Asks whether a message is to be deleted.
 * @param remove returns whether it is done, or a promise of why that failed, null if it did not
 */
export function createDeleteQuestion(
  strings: Strings,
  remove: () => boolean | Promise<string | null>,
  over: () => void,
): Form {
  const keep = button(strings.keep, "link", over);
  const problem = element("span", { className: "problem", role: "status" });
  const confirm = button(strings.delete, "link danger", async () => {
    const answer = remove();
    if (typeof answer === "boolean") return void (answer && over());
    confirm.disabled = true;
    const failure = await answer;
    confirm.disabled = false;
    if (failure === null) over();
    else setText(problem, failure);
  });
  return {
    element: element(
      "div",
      { className: "question", role: "group", ariaLabel: strings.deleteQuestion },
      element("span", { textContent: strings.deleteQuestion }),
      confirm,
      keep,
      problem,
    ),
    focus: () => keep.focus(),
  };
}
