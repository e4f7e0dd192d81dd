/** What a message's text says, besides its words. A string is shown as it is, with its line breaks. */
export type Part = Inline | CodeBlock | Quote | List;

export type Inline = string | Span | Code | Link;

export interface Span {
  readonly kind: "strong" | "emphasis" | "strike";
  readonly parts: readonly Inline[];
}

export interface Code {
  readonly kind: "code";
  readonly text: string;
}

export interface Link {
  readonly kind: "link";
  readonly href: string;
  readonly parts: readonly Inline[];
  /** The host that it leads to, to be shown beside it where its text looks like another address; otherwise null. */
  readonly host: string | null;
}

export interface CodeBlock {
  readonly kind: "code_block";
  /** As its author called it; empty where they did not. */
  readonly language: string;
  readonly text: string;
}

export interface Quote {
  readonly kind: "quote";
  readonly parts: readonly Part[];
}

export interface List {
  readonly kind: "list";
  /** Of each item, as they are shown; null where there are none. */
  readonly numbers: readonly number[] | null;
  readonly items: readonly (readonly Part[])[];
}
