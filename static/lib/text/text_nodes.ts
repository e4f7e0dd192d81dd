/** The nodes of a message's text. They are made one by one, never from HTML. */
import { element } from "../dom.ts";
import { codeBlock, type CodeWords } from "./code_block.ts";
import { parseAction, parseText } from "./parse_text.ts";
import { plainText } from "./plain_text.ts";
import type { Link, Part } from "./text_tree.ts";

export type TextWords = CodeWords;

/** What this module has for `message_text.ts`, which loads it later. */
export interface RichText {
  textNodes: typeof textNodes;
  plainText: typeof plainText;
}

export { plainText };

const SPANS = { strong: "strong", emphasis: "em", strike: "s" } as const;

/** @param isAction whether it is what an author does, which has no blocks */
export function textNodes(text: string, isAction: boolean, words: TextWords): Node[] {
  return (isAction ? parseAction : parseText)(text).map((part) => nodeOf(part, words));
}

function nodeOf(part: Part, words: TextWords): Node {
  if (typeof part === "string") return new Text(part);
  const nodesOf = (parts: readonly Part[]) => parts.map((part) => nodeOf(part, words));
  switch (part.kind) {
    case "strong":
    case "emphasis":
    case "strike":
      return element(SPANS[part.kind], {}, ...nodesOf(part.parts));
    case "code":
      // Its direction is its own, and says nothing of the message's.
      return element("code", { dir: "ltr", textContent: part.text });
    case "link":
      return linkNode(part, nodesOf(part.parts));
    case "code_block":
      return codeBlock(part, words);
    case "quote":
      return element("blockquote", {}, ...nodesOf(part.parts));
    case "list": {
      const { numbers } = part;
      const items = part.items.map((item, at) =>
        element("li", numbers ? { value: numbers[at] } : {}, ...nodesOf(item))
      );
      return element(numbers ? "ol" : "ul", {}, ...items);
    }
    default:
      return part satisfies never;
  }
}

function linkNode({ href, host, parts }: Link, shown: Node[]): Node {
  const isAddress = parts.length === 1 && typeof parts[0] === "string" && /^https?:\/\//i.test(parts[0]);
  const properties = { href, target: "_blank", rel: "noopener noreferrer nofollow", ...!isAddress && { title: href } };
  if (host === null) return element("a", properties, ...shown);
  // Within the link, so that it is read with it, and isolated, so that no character of the text turns it around.
  const where = element("bdi", { className: "host", textContent: `(${host})` });
  return element("a", properties, element("bdi", {}, ...shown), " ", where);
}
