/** A text area as people know it from chats: it grows with its words, Enter is done, Shift+Enter breaks the line. */

/** What browsers put in `keyCode` for a key that an input method took; some report only this for the Enter that ends a composition. */
const TAKEN_BY_INPUT_METHOD = 229;

export function enterSubmits(field: HTMLTextAreaElement, submit: () => void): void {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    if (event.isComposing || event.keyCode === TAKEN_BY_INPUT_METHOD) return;
    event.preventDefault();
    submit();
  });
}

/** Keeps the field as high as its text, where the style sheet's `field-sizing` is not known yet. */
export function grow(field: HTMLTextAreaElement): void {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** Code points, as the server counts them. */
export function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The text without what no frame may carry: NUL and halves of characters, which only a broken paste brings. */
export function sendable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}
