import { element, setText } from "../lib/dom.ts";
import type { Strings } from "../i18n/locale.ts";

export interface FieldDialogWords {
  title: string;
  label: string;
  hint: string;
  submit: string;
  /** What is typed into a "password" field is not shown. */
  type?: "text" | "password";
}

export interface FieldDialog {
  open(value: string): void;
  close(): void;
}

/**
 * A dialog that asks for one short text, and says beside the field why it can't be taken.
 * @param accept gets what was entered; null closes the dialog, a sentence stays beside the field
 * @param below stands under the field
 */
export function createFieldDialog(
  strings: Strings,
  words: FieldDialogWords,
  accept: (value: string) => Promise<string | null> | string | null,
  below?: HTMLElement,
): FieldDialog {
  const id = `field-${words.title}`.replaceAll(/\s+/g, "-");
  const input = element("input", {
    type: words.type ?? "text",
    id,
    required: true,
    autocomplete: "off",
    spellcheck: false,
    autocapitalize: "off",
  });
  input.setAttribute("aria-describedby", `${id}-error ${id}-hint`);
  const error = element("p", { id: `${id}-error`, className: "problem", role: "alert" });
  const submit = element("button", { type: "submit", className: "filled", textContent: words.submit });
  const cancel = element("button", { type: "button", className: "outlined", textContent: strings.cancel });
  const form = element(
    "form",
    { noValidate: true },
    element("h2", { textContent: words.title }),
    element("label", { htmlFor: id, textContent: words.label }),
    input,
    error,
    element("p", { id: `${id}-hint`, className: "help", textContent: words.hint }),
    element("div", { className: "buttons" }, cancel, submit),
  );
  const dialog = element("dialog", { className: "sheet", ariaLabel: words.title }, form);
  if (below) form.lastElementChild?.before(below);
  document.body.append(dialog);

  cancel.onclick = () => dialog.close();
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  input.oninput = () => complain(null);
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const problem = await accept(input.value);
    submit.disabled = false;
    if (problem === null) return dialog.close();
    complain(problem);
    input.focus();
  };

  function complain(problem: string | null) {
    setText(error, problem ?? "");
    input.ariaInvalid = problem === null ? null : "true";
  }

  return {
    open(value) {
      input.value = value;
      complain(null);
      dialog.showModal();
      input.select();
    },
    close: () => dialog.close(),
  };
}
