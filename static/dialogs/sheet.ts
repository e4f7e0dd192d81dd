import type { Strings } from "../i18n/locale.ts";
import { button, element, modal } from "../lib/dom.ts";

/** A dialog over the page with a title, a content and a button that closes it. */
export interface Sheet {
  title: HTMLHeadingElement;
  body: HTMLDivElement;
  /** The row with the button that closes it. */
  foot: HTMLDivElement;
  open(): void;
  close(): void;
}

export function createSheet(strings: Strings, label: string): Sheet {
  const title = element("h2");
  const body = element("div");
  const close = button(strings.close, "outlined", () => dialog.close());
  const foot = element("div", { className: "buttons" }, close);
  const dialog = modal("sheet", label, title, body, foot);
  return {
    title,
    body,
    foot,
    open: () => dialog.open || dialog.showModal(),
    close: () => dialog.close(),
  };
}

let ids = 0;

/** A checkbox with a label, and an explanation under it. */
export function checkbox(
  label: string,
  help: string,
): { element: HTMLElement; field: HTMLInputElement; help: HTMLElement } {
  const id = `choice-${++ids}`;
  const field = element("input", { type: "checkbox", id });
  field.setAttribute("aria-describedby", `${id}-help`);
  const explanation = element("span", { id: `${id}-help`, className: "help", textContent: help });
  const texts = element("span", {}, element("label", { htmlFor: id, textContent: label }), explanation);
  return { element: element("div", { className: "choice" }, field, texts), field, help: explanation };
}

/** A select element and its label. */
export function select<Value extends string | number>(label: string, values: [Value, string][], chosen: Value) {
  const id = `choice-${++ids}`;
  const options = values.map(([value, text]) =>
    element("option", { value: String(value), textContent: text, selected: value === chosen })
  );
  return {
    label: element("label", { htmlFor: id, textContent: label }),
    field: element("select", { id }, ...options),
  };
}
