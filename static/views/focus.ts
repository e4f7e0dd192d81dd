/** Where the focus goes by itself: to the composer, from wherever nothing else is written. */
import { hasScreenKeyboard, INPUT_METHOD_KEY_CODE } from "./text_entry.ts";

export interface FocusOptions {
  field: HTMLTextAreaElement;
  /** Inserts what was pasted while the focus was elsewhere. */
  paste(text: string): void;
}

/** What takes what is typed by itself. */
const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * Typing and pasting anywhere go to the composer, and the focus returns to it when a dialog closes. Where a keyboard
 * would slide in it stays with what opened the dialog.
 */
export function leadToComposer({ field, paste }: FocusOptions): void {
  document.addEventListener("keydown", (event) => {
    // At once: what the key writes is written where the focus is then, also by an input method.
    if (isWriting(event) && isElsewhere()) field.focus();
  });
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain");
    if (!text || event.defaultPrevented || !isElsewhere()) return;
    event.preventDefault();
    field.focus();
    paste(text);
  });
  // No such event bubbles, but all of them are captured.
  document.addEventListener("close", () => {
    if (!hasScreenKeyboard() && !isOpen() && canWrite()) field.focus();
  }, { capture: true });

  /** Whether the focus is on nothing that one writes in. */
  function isElsewhere(): boolean {
    return !document.activeElement?.closest(FIELDS) && !isOpen() && canWrite();
  }

  /** A dialog may open the next one. */
  const isOpen = () => document.querySelector("dialog[open]") !== null;

  const canWrite = () => !field.disabled && field.checkVisibility();
}

/** Whether a key writes something. Space presses buttons and scrolls, and letters with Ctrl are the browser's. */
function isWriting(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.key === " ") return false;
  const isAltGraph = event.getModifierState("AltGraph");
  if (!isAltGraph && (event.ctrlKey || event.altKey || event.metaKey)) return false;
  return [...event.key].length === 1 || event.key === "Process" || event.keyCode === INPUT_METHOD_KEY_CODE;
}
