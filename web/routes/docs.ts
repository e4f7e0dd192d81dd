import { html } from "hono/html";
import * as v from "valibot";
import { CLOSE } from "../../chat/protocol.ts";
import { describe, type JsonSchema, spelledOut, UNCHANGED } from "../schema/describe.ts";
import { clientFrames } from "../schema/client_frames.ts";
import type { App, AppServices } from "../services.ts";
import { describeAll, type OpenApi, type Operation } from "../schema/openapi.ts";
import { PROBLEMS } from "../schema/problem.ts";
import { serverFrames } from "../schema/server_frames.ts";
import { StaticFile } from "./static_file.ts";

type Html = ReturnType<typeof html>;

/** What each close code means, and what a client should do. */
const CLOSE_WORDS: Record<keyof typeof CLOSE, string> = {
  silent: "No ping came from a batch client. Reconnect and resume.",
  restarting: "The server restarts. Reconnect after a random time of up to four seconds.",
  renewToken: "The token of an account has expired. Get a new token, then reconnect.",
  tooSlow: "The client reads too slowly. Reconnect and resume.",
  tooManyConnections: "There are too many connections from this address. Reconnect later.",
  flooding: "The client ignored its rate limit. Reconnect later.",
  badToken: "The token is not valid. Don't reconnect without a person's decision.",
  notAllowed: "The person is banned. Don't reconnect without a person's decision.",
};

/** The description of all routes, for machines at `/openapi.json` and for people at `/docs`. To be added after them. */
export function addDocs(app: App, services: AppServices): void {
  let rendered: Promise<{ document: StaticFile; page: StaticFile }> | undefined;
  const render = async () => {
    const description = await describeAll(app, services);
    return {
      document: new StaticFile(JSON.stringify(description), "application/json"),
      page: new StaticFile(String(await page(description, services)), "text/html; charset=utf-8"),
    };
  };
  // Whoever asks first has it made for all: it describes routes, which stay as they are.
  const made = () => rendered ??= render();

  const about = describe({
    id: "getDescription",
    tag: "Pages",
    summary: "This description, for programs",
    answers: { 200: { description: "OpenAPI 3.1.", schema: v.looseObject({}) }, ...UNCHANGED },
    who: "anyone",
  });
  app.get("/openapi.json", about, async (c) => (await made()).document.serve(c));

  const aboutPage = describe({
    id: "getDescriptionPage",
    tag: "Pages",
    summary: "This description, for people",
    answers: { 200: { description: "A page.", schema: v.string(), type: "text/html" }, ...UNCHANGED },
    who: "anyone",
  });
  app.get("/docs", aboutPage, async (c) => (await made()).page.serve(c));
}

function page({ tags, paths }: OpenApi, { basePath, files }: AppServices): Html {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation }))
  );
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <title>Parley: the protocol</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="${files.address("favicon.svg")}" type="image/svg+xml">
        <link rel="stylesheet" href="${files.address("docs.css")}">
      </head>
      <body>
        <main>
          <h1>Parley: the protocol</h1>
          <p>
            Frames are JSON objects with an <code>action</code>. A WebSocket at <code>/connect</code> receives and sends
            them. Without a WebSocket, post them to <code>/api/actions</code> and listen to a room's event stream.
            Fields with a question mark may be absent.
            <a href="${basePath.to("/openapi.json")}">The same for programs</a> (OpenAPI 3.1).
          </p>
          <h2 id="actions">Actions: what a client sends</h2>
          ${frameTable("actions", clientFrames)}
          <h2 id="frames">Server frames: what the server sends</h2>
          ${frameTable("frames", serverFrames)}
          <h2 id="http">HTTP calls</h2>
          ${tags.map(({ name, description }) =>
            html`
              <h3 id="${name.toLowerCase()}">${name}</h3>
              <p>${description}</p>
              ${callTable(name.toLowerCase(), calls.filter((call) => call.tags.includes(name)))}
            `
          )}
          <h2 id="errors">Errors</h2>
          <p>Over HTTP, errors are problem documents (RFC 9457) with the same codes.</p>
          ${table(
            "errors",
            ["code", "meaning", "HTTP status"],
            Object.entries(PROBLEMS).map(([code, { title, status }]) => [
              html`<code id="${code}">${code}</code>`,
              html`${title}`,
              html`${status}`,
            ]),
          )}
          <h2 id="closing">Close codes</h2>
          ${table(
            "closing",
            ["code", "meaning, and what to do"],
            Object.entries(CLOSE).toSorted(([, one], [, other]) => one - other).map(([name, code]) => [
              html`<code>${code}</code>`,
              html`${CLOSE_WORDS[name as keyof typeof CLOSE]}`,
            ]),
          )}
        </main>
      </body>
    </html>
  `;
}

function callTable(heading: string, calls: (Operation & { path: string; method: string })[]): Html {
  return table(
    heading,
    ["call", "what it does", "answers"],
    calls.map(({ method, path, summary, responses }) => [
      html`<code>${method} ${path}</code>`,
      html`${summary}`,
      html`${Object.keys(responses).filter((status) => status !== "default").join(", ")}`,
    ]),
  );
}

function frameTable(heading: string, frames: Record<string, v.GenericSchema>): Html {
  return table(
    heading,
    ["action", "fields", "meaning"],
    Object.entries(frames).map(([action, schema]) => {
      const { properties, required } = spelledOut(schema) as {
        properties: Record<string, JsonSchema>;
        required: string[];
      };
      const fields = Object.entries(properties).filter(([name]) => name !== "action").map(([name, field]) =>
        html`<li><code>${name}${required.includes(name) ? "" : "?"}</code> ${typeOf(field)}</li>`
      );
      return [html`<code>${action}</code>`, html`<ul>${fields}</ul>`, inWords(v.getDescription(schema)!)];
    }),
  );
}

/** What stands between backticks is code. */
function inWords(text: string): Html {
  return html`${text.split("`").map((part, at) => at % 2 === 0 ? part : html`<code>${part}</code>`)}`;
}

/** A field's type in a word or two. */
function typeOf({ $ref, const: value, enum: values, type, items, properties }: JsonSchema): string {
  if (typeof $ref === "string") return $ref.slice($ref.lastIndexOf("/") + 1);
  if (value !== undefined) return JSON.stringify(value);
  if (Array.isArray(values)) return "one of the codes below";
  if (typeof items === "object") return `list of ${typeOf(items as JsonSchema)}`;
  if (typeof properties === "object") return `{${Object.keys(properties!).join(", ")}}`;
  return String(type);
}

/** @param heading id of the heading above it */
function table(heading: string, head: string[], rows: Html[][]): Html {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-labelledby="${heading}">
      <table>
        <thead>
          <tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr>
        </thead>
        <tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
  `;
}
