/** Colours of code. Each language is a file of its own, loaded when code in it is first seen. */
import { type ShjGrammar, type ShjLanguageData, tokenizer } from "../../vendor/highlight/tokenize.js";
import { element } from "../dom.ts";

type Load = () => Promise<{ default: unknown }>;

/** Tags. The package's own expressions for them take years for a line of forty attributes without an end. */
const TAGS: ShjGrammar = [
  { match: /<!--[^]*?(?:-->|$)/g, type: "cmnt" },
  {
    match: /<[/!?]?\p{L}(?:[^<>"']|"[^"<]*"|'[^'<]*')*>/gu,
    sub: [
      { match: /^<[/!?]?[^\s/>]+|[/?]?>$/g, type: "kwd" },
      { match: /"[^"]*"|'[^']*'/g, type: "str" },
      { match: /[^\s=<>"'/?]+/g, type: "func" },
    ],
  },
  { match: /&#?\w{1,8};/g, type: "num" },
];

export const LANGUAGES: Record<string, Load> = {
  bash: () => import("../../vendor/highlight/bash.js"),
  c: () => import("../../vendor/highlight/c.js"),
  css: () => import("../../vendor/highlight/css.js"),
  diff: () => import("../../vendor/highlight/diff.js"),
  docker: () => import("../../vendor/highlight/docker.js"),
  go: () => import("../../vendor/highlight/go.js"),
  html: () => Promise.resolve({ default: TAGS }),
  ini: () => import("../../vendor/highlight/ini.js"),
  java: () => import("../../vendor/highlight/java.js"),
  js: () => import("../../vendor/highlight/js.js"),
  jsdoc: () => import("../../vendor/highlight/jsdoc.js"),
  json: () => import("../../vendor/highlight/json.js"),
  lua: () => import("../../vendor/highlight/lua.js"),
  make: () => import("../../vendor/highlight/make.js"),
  md: () => import("../../vendor/highlight/md.js"),
  pl: () => import("../../vendor/highlight/pl.js"),
  py: () => import("../../vendor/highlight/py.js"),
  regex: () => import("../../vendor/highlight/regex.js"),
  rs: () => import("../../vendor/highlight/rs.js"),
  sql: () => import("../../vendor/highlight/sql.js"),
  todo: () => import("../../vendor/highlight/todo.js"),
  toml: () => import("../../vendor/highlight/toml.js"),
  ts: () => import("../../vendor/highlight/ts.js"),
  yaml: () => import("../../vendor/highlight/yaml.js"),
};

/** What people call them. */
export const ALIASES: Record<string, string> = {
  "c++": "c",
  console: "bash",
  cpp: "c",
  dockerfile: "docker",
  golang: "go",
  h: "c",
  javascript: "js",
  jsonc: "json",
  jsx: "js",
  makefile: "make",
  markdown: "md",
  mjs: "js",
  patch: "diff",
  perl: "pl",
  python: "py",
  rust: "rs",
  sh: "bash",
  shell: "bash",
  svg: "html",
  tsx: "ts",
  typescript: "ts",
  vue: "html",
  xml: "html",
  yml: "yaml",
  zsh: "bash",
};

/** The tokens that have a colour, of which some share one. */
const COLOURS: Record<string, string> = {
  kwd: "keyword",
  section: "keyword",
  bool: "number",
  num: "number",
  str: "string",
  esc: "string",
  insert: "string",
  cmnt: "comment",
  func: "name",
  class: "name",
  type: "name",
  var: "name",
  deleted: "removed",
  err: "removed",
};

/** Code units of the longest code that gets colours, and of the longest word or gap: longer ones take too long. */
const LONGEST = 10_000;
const TOO_LONG = /[\w$]{300}|\s{300}/;

const loaded = new Map<string, Promise<unknown>>();

/** @returns undefined if there is no such language, or it can't be loaded */
function load(language: string): Promise<unknown> {
  const name = language.toLowerCase();
  const known = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  let loading = loaded.get(known);
  if (!loading) {
    loading = Object.hasOwn(LANGUAGES, known)
      ? LANGUAGES[known]().then((module) => module.default, () => undefined)
      : Promise.resolve();
    loaded.set(known, loading);
  }
  return loading;
}

export interface Token {
  text: string;
  /** The class that gives it its colour; empty for none. */
  colour: string;
}

/** The code in pieces; null if nobody knows the language. */
export async function tokens(code: string, language: string): Promise<Token[] | null> {
  if (code.length > LONGEST || TOO_LONG.test(code)) return null;
  const data = await load(language);
  if (data === undefined) return null;
  const found: Token[] = [];
  const finding = tokenizer(code, data as ShjLanguageData, (text, type) => {
    const colour = type === undefined ? "" : COLOURS[type] ?? "";
    const last = found.at(-1);
    if (text === "") return;
    if (last?.colour === colour) last.text += text;
    else found.push({ text, colour });
  });
  // It asks for each language within the language.
  let next = finding.next();
  while (!next.done) next = finding.next(await load(next.value) as ShjLanguageData | undefined);
  // Whatever the tokenizer does, the code is what its author wrote.
  return found.map(({ text }) => text).join("") === code ? found : null;
}

/** The nodes of coloured code; null if it stays as it is. */
export async function highlight(code: string, language: string): Promise<Node[] | null> {
  const found = await tokens(code, language).catch(() => null);
  return found?.map(({ text, colour }) =>
    colour === "" ? new Text(text) : element("span", { className: `token-${colour}`, textContent: text })
  ) ?? null;
}
