/** A block of code: its language, a button that copies it, and colours once it is near what is seen. */
import { button, element, find, showDone } from "../dom.ts";
import type { CodeBlock } from "./text_tree.ts";

export interface CodeWords {
  code: string;
  copyCode: string;
  codeCopied: string;
}

/** Pixels around what is seen within which code gets its colours. */
const NEAR = "600px";

/** The colours that a block waits for. */
const waiting = new WeakMap<Element, () => void>();
const nearness = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    nearness.unobserve(target);
    waiting.get(target)?.();
    waiting.delete(target);
  }
}, { root: find("log", HTMLElement), rootMargin: NEAR }); // a margin of the window ends where the log does

/** What scrolls has to be reached by key, and nothing else needs to. */
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    if (scrolls) (target as HTMLElement).tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

export function codeBlock({ language, text }: CodeBlock, words: CodeWords): HTMLElement {
  const code = element("code", { textContent: text });
  const label = language === "" ? words.code : `${words.code}, ${language}`;
  const view = element("pre", { role: "group", ariaLabel: label }, code);
  const copy = button(words.copyCode, "link", () => void copyCode(copy, code, words));
  copy.tabIndex = -1; // as all buttons of a message that has not the focus
  const head = element("div", { className: "code-head" }, element("span", { textContent: language }), copy);
  // In the log, which is live, the button's text would be announced a second time.
  head.ariaLive = "off";
  if (language !== "") {
    waiting.set(view, async () => {
      const { highlight } = await import("./highlight.ts");
      const nodes = await highlight(text, language);
      if (nodes) code.replaceChildren(...nodes);
    });
    nearness.observe(view);
  }
  sizes.observe(view);
  return element("div", { className: "code", dir: "ltr" }, head, view);
}

async function copyCode(copy: HTMLButtonElement, code: HTMLElement, words: CodeWords): Promise<void> {
  if (!await copied(code)) return;
  showDone(find("announcer", HTMLElement), words.codeCopied);
  showDone(copy, words.codeCopied, words.copyCode);
}

/** @returns whether it worked. Otherwise the code is selected, to be copied by hand. */
async function copied(code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    // Pages without TLS have no clipboard, but this, which browsers keep for old pages.
    const selection = getSelection();
    selection?.selectAllChildren(code);
    if (!document.execCommand("copy")) return false;
    selection?.removeAllRanges();
    return true;
  }
}
