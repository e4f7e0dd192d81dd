/** Files of packages that browsers load as they are, and the paths below `/static/vendor/` under which they find them. */
import bash from "@speed-highlight/core/languages/bash.js" with { type: "text" };
import c from "@speed-highlight/core/languages/c.js" with { type: "text" };
import css from "@speed-highlight/core/languages/css.js" with { type: "text" };
import diff from "@speed-highlight/core/languages/diff.js" with { type: "text" };
import docker from "@speed-highlight/core/languages/docker.js" with { type: "text" };
import go from "@speed-highlight/core/languages/go.js" with { type: "text" };
import ini from "@speed-highlight/core/languages/ini.js" with { type: "text" };
import java from "@speed-highlight/core/languages/java.js" with { type: "text" };
import js from "@speed-highlight/core/languages/js.js" with { type: "text" };
import jsdoc from "@speed-highlight/core/languages/jsdoc.js" with { type: "text" };
import json from "@speed-highlight/core/languages/json.js" with { type: "text" };
import lua from "@speed-highlight/core/languages/lua.js" with { type: "text" };
import make from "@speed-highlight/core/languages/make.js" with { type: "text" };
import md from "@speed-highlight/core/languages/md.js" with { type: "text" };
import pl from "@speed-highlight/core/languages/pl.js" with { type: "text" };
import py from "@speed-highlight/core/languages/py.js" with { type: "text" };
import regex from "@speed-highlight/core/languages/regex.js" with { type: "text" };
import rs from "@speed-highlight/core/languages/rs.js" with { type: "text" };
import sql from "@speed-highlight/core/languages/sql.js" with { type: "text" };
import todo from "@speed-highlight/core/languages/todo.js" with { type: "text" };
import toml from "@speed-highlight/core/languages/toml.js" with { type: "text" };
import ts from "@speed-highlight/core/languages/ts.js" with { type: "text" };
import yaml from "@speed-highlight/core/languages/yaml.js" with { type: "text" };
import tokenize from "@speed-highlight/core/tokenize" with { type: "text" };
import leanQr from "lean-qr" with { type: "text" };
import linkify from "linkifyjs/dist/linkify.mjs" with { type: "text" };
import marked from "marked" with { type: "text" };

/**
 * The languages whose code has colours, and those that others have parts of. Not those for HTML and XML: a line of forty
 * attributes without an end keeps their expressions busy for years.
 */
const LANGUAGES = {
  bash,
  c,
  css,
  diff,
  docker,
  go,
  ini,
  java,
  js,
  jsdoc,
  json,
  lua,
  make,
  md,
  pl,
  py,
  regex,
  rs,
  sql,
  todo,
  toml,
  ts,
  yaml,
};

export const VENDORED: ReadonlyMap<string, string> = new Map([
  ["lean_qr.js", leanQr],
  ["linkify.js", linkify],
  // Bundled too, a file keeps such a comment, as the package's licence asks.
  ["marked.js", marked.replace("/**\n * marked", "/*!\n * marked")],
  ["highlight/tokenize.js", tokenize],
  ...Object.entries(LANGUAGES).map(([name, text]): [string, string] => [`highlight/${name}.js`, text]),
]);
