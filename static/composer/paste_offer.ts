/** A long text that is pasted stays as it is, with an offer to make a block of code of it. */
import type { Strings } from "../i18n/locale.ts";
import { button } from "../lib/dom.ts";
import type { Advice } from "./advice.ts";
import { asBlock, mayBeBlock } from "./code_block.ts";
import { insertText } from "./insert_text.ts";

/** @returns what to call with a text that was pasted while the focus was elsewhere */
export function offerBlocks(
  field: HTMLTextAreaElement,
  strings: Strings,
  advice: Advice,
): (pasted: string) => void {
  let offered: string | null = null;

  field.addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    // The browser inserts it now, and tells of that.
    field.addEventListener("input", () => queueMicrotask(() => offer(pasted)), { once: true });
  });
  // Whoever has changed the pasted text has decided.
  field.addEventListener("input", () => offered !== null && !field.value.includes(offered) && withdraw());
  field.addEventListener("keydown", (event) => {
    if (offered === null || event.isComposing) return;
    const isKey = event.code === "KeyE" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (isKey) format();
    else if (event.key === "Escape") withdraw();
    else return;
    event.preventDefault();
  });

  function offer(text: string) {
    const pasted = text.replaceAll(/\r\n?/g, "\n");
    if (!mayBeBlock(pasted) || !field.value.includes(pasted)) return;
    offered = pasted;
    const accept = button(strings.formatAsCode, "link", format);
    accept.title = strings.formatAsCodeKey;
    accept.setAttribute("aria-keyshortcuts", "Control+E Meta+E");
    advice.show(strings.longPaste, [accept, button(strings.keepAsText, "link", withdraw)], () => offered = null);
  }

  function format() {
    const start = offered === null ? -1 : field.value.lastIndexOf(offered);
    const end = start + (offered?.length ?? 0);
    withdraw();
    if (start !== -1) insertText(field, start, end, asBlock(field.value, start, end));
  }

  function withdraw() {
    offered = null;
    advice.clear();
    field.focus();
  }

  return offer;
}
