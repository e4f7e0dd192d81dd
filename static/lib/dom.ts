/** Creates elements, and finds those of index.html. Text is only ever set as text, never as HTML. */

/** A new element with these properties and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A button with a text. */
export function button(text: string, className: string, onclick: () => void): HTMLButtonElement {
  return element("button", { type: "button", className, textContent: text, onclick });
}

/** A dialog, which closes with a click beside it. */
export function modal(className: string, ariaLabel: string, ...children: Node[]): HTMLDialogElement {
  const made = element("dialog", { className, ariaLabel }, ...children);
  made.addEventListener("click", (event) => event.target === made && made.close());
  document.body.append(made);
  return made;
}

/** The element of index.html with this id. */
export function find<T extends HTMLElement>(id: string, type: { new (): T }): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} called "${id}"`);
  return found;
}

/** Sets the properties that differ: to a browser even the value that is there already is a change. */
export function setProperties<T extends object>(target: T, values: Partial<T>): void {
  for (const name of Object.keys(values) as (keyof T)[]) {
    if (target[name] !== values[name]) target[name] = values[name]!;
  }
}

/** Sets text only where it differs, so that nothing is announced or laid out again without a change. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Milliseconds for which the page shows that something worked. */
export const DONE_SHOWN = 2_000;

/** Says that something worked, for a moment. What stands there `after` that, a screen reader can say again. */
export function showDone(node: Node, text: string, after = ""): void {
  setText(node, text);
  setTimeout(() => {
    if (node.textContent === text) setText(node, after);
  }, DONE_SHOWN);
}

/** Resolves when what is in the page now has been painted. */
export function painted(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
