/** What is in a line: bold, italic, struck, code and links. `marked` finds them, by the rules of a chat. */
import { Lexer, type MarkedOptions, type Token, Tokenizer, type Tokens } from "../../vendor/marked.js";
import { hostToShow, segments, webAddress } from "./links.ts";
import type { Inline } from "./text_tree.ts";

/** Spans within spans; what is deeper is shown as it was typed. */
const MAX_DEPTH = 6;
/**
 * Runs of marks in a paragraph, and characters of them. `marked` looks for the end of each in all that follows: with
 * thousands that takes long.
 */
const MAX_RUNS = 200;
const MAX_MARKS = 400;
/** Loses an arm where `\_` is an underscore. */
const SHRUG = "\\_(ツ)_/¯";

/** Removes what belongs to the text around an address: `**https://example.org/**` is bold. */
const withoutMarks = (address: string) => address.replace(/[*_~`]+$/, "");

/** The parts of a text that has no blocks. Its strings, one after the other, are the text without its marks. */
export function parseInline(text: string): Inline[] {
  // No mark has an effect beyond a blank line.
  return joined(text.split(/(\n\s*\n)/).flatMap(parseParagraph));
}

function parseParagraph(text: string): Inline[] {
  if (!/[*_~`[\\]|https?:\/\//i.test(text)) return [text];
  const found = /https?:\/\//i.test(text) ? segments(text) : [];
  const runs = text.match(/[*_~]+/g) ?? [];
  if (runs.length > MAX_RUNS || runs.join("").length > MAX_MARKS) {
    return found.length === 0
      ? [text]
      : found.map(({ text, href }) => href === null ? text : { kind: "link", href, parts: [text], host: null });
  }
  const addresses = found.flatMap(({ text, href }) => href === null ? [] : withoutMarks(text));
  const marked = [...new Set(addresses)].filter((address) => /[*_~]/.test(address));
  const options: MarkedOptions = {
    gfm: true,
    breaks: true,
    tokenizer: new ChatTokenizer(addresses),
    hooks: marked.length === 0 ? undefined : {
      emStrongMask: (masked: string) =>
        marked.reduce((text, address) => text.replaceAll(address, "a".repeat(address.length)), masked),
    } as MarkedOptions["hooks"],
  };
  return toParts(new Lexer(options).inlineTokens(text));
}

class ChatTokenizer extends Tokenizer {
  /** The addresses in the text, as many as there are and in their order. */
  readonly #addresses: readonly string[];
  #next = 0;
  #depth = 0;

  constructor(addresses: readonly string[]) {
    super();
    this.#addresses = addresses;
  }

  // Shown as they were typed.
  override tag(): undefined {}
  override reflink(): undefined {}
  override autolink(): undefined {}

  override url(src: string): Tokens.Link | undefined {
    // Addresses that a mark or a link has taken are skipped; nearly always it is the next one.
    for (let at = this.#next; at < this.#addresses.length; at++) {
      const address = this.#addresses[at];
      if (!src.startsWith(address)) continue;
      this.#next = at + 1;
      const href = webAddress(address);
      if (href === null) return;
      return {
        type: "link",
        raw: address,
        href,
        text: address,
        tokens: [{ type: "text", raw: address, text: address }],
      };
    }
  }

  override link(src: string): Tokens.Link | Tokens.Image | undefined {
    if (src.startsWith("!")) return;
    const token = this.#nested(() => super.link(src));
    if (token?.type !== "link" || token.title || webAddress(token.href) === null) return;
    return isSeen(token.text) ? token : undefined;
  }

  override escape(src: string): Tokens.Escape | undefined {
    return src.startsWith(SHRUG) ? { type: "escape", raw: SHRUG, text: SHRUG } : super.escape(src);
  }

  override codespan(src: string): Tokens.Codespan | undefined {
    const token = super.codespan(src);
    if (token?.text.trim() === "") {
      return { type: "text", raw: token.raw, text: token.raw } as unknown as Tokens.Codespan;
    }
    return token;
  }

  /** Only two tildes strike: one is a friendly end of a sentence. */
  override del(src: string, masked: string, before?: string): Tokens.Del | undefined {
    return src.startsWith("~~") ? this.#nested(() => super.del(src, masked, before)) : undefined;
  }

  override emStrong(src: string, masked: string, before = ""): Tokens.Em | Tokens.Strong | undefined {
    // 2*3*4 is a product.
    if (/^\*(?!\*)/.test(src) && /[\dA-Za-z]/.test(before)) return;
    // Python's names.
    const [, raw] = /^(__[\dA-Za-z]{1,32}__)[.(]/.exec(src) ?? [];
    if (raw !== undefined) return { type: "text", raw, text: raw } as unknown as Tokens.Em;
    return this.#nested(() => super.emStrong(src, masked, before) ?? this.#strongBeforeLetter(src));
  }

  /** `**"word"**은`: by CommonMark's rules, made for words with spaces between, these marks end nothing. */
  #strongBeforeLetter(src: string): Tokens.Strong | undefined {
    const [raw, text] = /^\*\*(?![\s*])([^*\n\\`[]*[^*\n\\`[\s])\*\*(?!\*)/.exec(src) ?? [];
    if (raw === undefined) return;
    return { type: "strong", raw, text, tokens: this.lexer.inlineTokens(text) };
  }

  #nested<Found>(find: () => Found): Found | undefined {
    if (this.#depth === MAX_DEPTH) return;
    this.#depth++;
    try {
      return find();
    } finally {
      this.#depth--;
    }
  }
}

/** Whether a link with this text can be seen and clicked. */
function isSeen(text: string): boolean {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text);
}

function toParts(tokens: readonly Token[]): Inline[] {
  return joined((tokens as Tokens.Generic[]).map(toPart));
}

/** The same parts, with no string beside another. */
function joined(parts: readonly Inline[]): Inline[] {
  const result: Inline[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === "string" && typeof last === "string") result[result.length - 1] = last + part;
    else if (part !== "") result.push(part);
  }
  return result;
}

function toPart(token: Tokens.Generic): Inline {
  const parts = () => toParts(token.tokens ?? []);
  switch (token.type) {
    case "strong":
      return { kind: "strong", parts: parts() };
    case "em":
      return { kind: "emphasis", parts: parts() };
    case "del":
      return { kind: "strike", parts: parts() };
    case "codespan":
      return { kind: "code", text: token.text };
    case "link":
      return {
        kind: "link",
        href: webAddress(token.href)!,
        parts: parts(),
        host: token.raw === token.text ? null : hostToShow(plain(parts()), token.href),
      };
    case "escape":
      return token.text;
    default:
      return token.raw;
  }
}

/** The words of these parts, without anything else. */
export function plain(parts: readonly Inline[]): string {
  return parts.map((part) => typeof part === "string" ? part : part.kind === "code" ? part.text : plain(part.parts))
    .join("");
}
