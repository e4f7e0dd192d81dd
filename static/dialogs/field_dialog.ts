import type { Strings } from "../i18n/locale.ts";
import { button, element, modal, setText } from "../lib/dom.ts";

export interface FieldDialogTexts {
  title: string;
  label: string;
  hint: string;
  submit: string;
  /** The text in a "password" field is not shown. */
  type?: "text" | "password" | "date";
  /** Whether the field may stay empty. */
  optional?: boolean;
}

export interface FieldDialog {
  /** The row of its buttons. */
  foot: HTMLDivElement;
  readonly input: HTMLInputElement;
  open(value: string): void;
  close(): void;
}

/**
 * A dialog that asks for one short text, and says beside the field why a text is not accepted.
 * @param accept gets the text; null closes the dialog, a sentence is shown beside the field
 * @param below is shown under the field
 */
export function createFieldDialog(
  strings: Strings,
  texts: FieldDialogTexts,
  accept: (value: string) => Promise<string | null> | string | null,
  below?: HTMLElement,
): FieldDialog {
  const id = `field-${texts.title}`.replaceAll(/\s+/g, "-");
  const input = element("input", {
    type: texts.type ?? "text",
    id,
    dir: "auto",
    required: !texts.optional,
    autocomplete: "off",
    spellcheck: false,
    autocapitalize: "off",
  });
  input.setAttribute("aria-describedby", `${id}-error ${id}-hint`);
  const error = element("p", { id: `${id}-error`, className: "problem", role: "alert" });
  const submit = element("button", { type: "submit", className: "filled", textContent: texts.submit });
  const cancel = button(strings.cancel, "outlined", () => dialog.close());
  const foot = element("div", { className: "buttons" }, cancel, submit);
  const form = element(
    "form",
    { noValidate: true },
    element("h2", { textContent: texts.title }),
    element("label", { htmlFor: id, textContent: texts.label }),
    input,
    error,
    element("p", { id: `${id}-hint`, className: "help", textContent: texts.hint }),
    foot,
  );
  const dialog = modal("sheet", texts.title, form);
  if (below) form.lastElementChild?.before(below);

  input.oninput = () => showError(null);
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const problem = await accept(input.value);
    submit.disabled = false;
    if (problem === null) return dialog.close();
    showError(problem);
    input.focus();
  };

  function showError(problem: string | null) {
    setText(error, problem ?? "");
    input.ariaInvalid = problem === null ? null : "true";
  }

  return {
    foot,
    input,
    open(value) {
      input.value = value;
      showError(null);
      dialog.showModal();
      input.select();
    },
    close: () => dialog.close(),
  };
}
