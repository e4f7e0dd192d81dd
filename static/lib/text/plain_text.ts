/** The words of a message's text, as one line of a quote shows them. */
import { parseAction, parseText } from "./parse_text.ts";
import type { Part } from "./text_tree.ts";

/** The words of a text without its marks; each block has lines of its own. */
export function plainText(text: string, isAction: boolean): string {
  return wordsOf((isAction ? parseAction : parseText)(text));
}

function wordsOf(parts: readonly Part[]): string {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    switch (part.kind) {
      case "code":
        return part.text;
      case "code_block":
        return `\n${part.text}\n`;
      case "list":
        return `\n${part.items.map(wordsOf).join("\n")}\n`;
      case "quote":
        return `\n${wordsOf(part.parts)}\n`;
      default:
        return wordsOf(part.parts);
    }
  }).join("");
}
