/**
 * Puts a text in the place of a part of the field, as if it had been typed: the browser's own undo takes it back, which
 * no change by a script to the value allows.
 */
export function insertText(field: HTMLTextAreaElement, start: number, end: number, text: string): void {
  field.focus();
  field.setSelectionRange(start, end);
  if (text === "" ? document.execCommand("delete") : document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
}
