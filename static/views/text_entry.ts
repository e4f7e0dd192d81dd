/** A text area as in other chats: it grows with its text, Enter submits, Shift+Enter breaks the line. */

/**
 * The `keyCode` of a key that an input method handled. For the Enter that ends a composition some browsers report only
 * this.
 */
const INPUT_METHOD_KEY_CODE = 229;

export function enterSubmits(field: HTMLTextAreaElement, submit: () => void): void {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    if (event.isComposing || event.keyCode === INPUT_METHOD_KEY_CODE) return;
    event.preventDefault();
    submit();
  });
}

/** Makes the field as high as its text, in browsers without CSS `field-sizing`. */
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

/** The text without NUL and halves of characters, which no frame may contain and only a broken paste brings. */
export function sendable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}
