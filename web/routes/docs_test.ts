import assert from "node:assert/strict";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import * as v from "valibot";
import { CLOSE, type ServerFrame } from "../../chat/protocol.ts";
import { TestClient } from "../../testing/clients/client.ts";
import { Listener } from "../../testing/clients/listener.ts";
import { RawClient } from "../../testing/clients/raw.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";
import { createApp } from "../app.ts";
import { BasePath } from "../base_path.ts";
import { clientFrames } from "../schema/client_frames.ts";
import type { AppServices } from "../services.ts";
import { PROBLEMS } from "../schema/problem.ts";
import { serverFrames } from "../schema/server_frames.ts";

let server: RunningServer;

Deno.test.beforeAll(async () => {
  server = await startServer({ env: { ADMIN_TOKEN: "the moderators of the tests", HOSTS: "127.0.0.1" } });
});

Deno.test.afterAll(async () => {
  await server.stop();
});

Deno.test("a linter that is not ours finds nothing to say about the description", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const withoutModerators = await startServer({ env: { DATABASE_URL: "memory:" } });
  for (const { url } of [server, withoutModerators]) {
    const source = await (await fetch(`${url}/openapi.json`)).text();
    assert.match(JSON.parse(source).openapi, /^3\.1\./);
    const found = await lintFromString({ source, config });
    assert.deepEqual(found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]), []);
  }
  await withoutModerators.stop();
});

Deno.test("a generator that is not ours makes types of the description with which a client can be written", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/openapi.json`, await (await fetch(`${server.url}/openapi.json`)).text());
  // With a lock of its own: as a dependency of ours it would bring the compiler along, which valibot then takes too.
  const lock = new URL("../../testing/openapi_typescript.lock", import.meta.url).pathname;
  const flags = ["--quiet", "--no-config", `--lock=${lock}`, "--frozen", "--allow-env", "--allow-read"];
  const types = await deno(folder, "run", ...flags, "npm:openapi-typescript@^7.13", "openapi.json");
  await Deno.writeTextFile(`${folder}/types.ts`, types);
  await Deno.writeTextFile(
    `${folder}/client.ts`,
    `import type { components, operations } from "./types.ts";
    type Sending = operations["sendMessage"];
    export const path: Sending["parameters"]["path"] = { room: "general" };
    export const body: Sending["requestBody"]["content"]["application/json"] = { text: "hello" };
    export const told = (frame: Sending["responses"][201]["content"]["application/json"]): string => frame.from;
    export const code = (problem: components["schemas"]["Problem"]): string => problem.code;
    export const found: operations["searchMessages"]["parameters"]["query"] = { q: "word" };
    // @ts-expect-error -- nothing is searched for
    export const nothing: operations["searchMessages"]["parameters"]["query"] = { user: "ann" };
    export const page: operations["getHistory"]["parameters"]["query"] = { before: 7, limit: 10 };
    export const likes = (message: components["schemas"]["ReceiveMessage"]): number | undefined =>
      message.reactions?.find(({ emoji }) => emoji === "👍")?.count;
    // @ts-expect-error -- a place is no text
    export const wrong: operations["getHistory"]["parameters"]["query"] = { before: "7" };
    `,
  );
  await deno(folder, "check", "--quiet", "--no-config", "client.ts");
  await Deno.remove(folder, { recursive: true });
});

/** What each call answers, and who may call. Every change here is one for those who made clients of it. */
const CALLS: Record<string, [tag: string, statuses: string, who: string]> = {
  getHealth: ["Monitoring", "200 400", ""],
  getReadiness: ["Monitoring", "200 400 503", ""],
  getMetrics: ["Monitoring", "200 400 401 403", "- metrics"],
  openSocket: ["Chat", "101 400 403 421 426 429 503 default", "- session cookie"],
  listRooms: ["Chat", "200 400 401 421 429 503", "- session cookie"],
  getHistory: ["Chat", "200 400 401 421 422 429 503", "- session cookie"],
  searchMessages: ["Chat", "200 400 401 421 422 429 503", "- session cookie"],
  getMessage: ["Chat", "200 400 401 404 421 422 429 503", "- session cookie"],
  listReactions: ["Chat", "200 400 401 404 421 422 429 503", "- session cookie"],
  listPeople: ["Chat", "200 400 401 421 422 429 503", "- session cookie"],
  sendMessage: ["Chat", "200 201 400 401 403 404 413 415 421 422 429 503", "- session cookie"],
  startSession: ["Session", "201 303 400 401 403 413 421 429 503", "- session cookie"],
  openEventStream: ["Chat", "200 400 401 403 421 422 429 503", "- session cookie"],
  sendAction: ["Chat", "200 204 400 401 403 404 409 413 415 421 422 429 503", "- session cookie"],
  deleteMessage: ["Moderation", "200 400 403 404 421 422 429 503", "moderator"],
  changeRoom: ["Moderation", "200 400 403 404 413 421 422 429 503", "moderator"],
  listBans: ["Moderation", "200 400 404 421 429 503", "moderator"],
  banPerson: ["Moderation", "201 400 403 404 413 421 503", "moderator"],
  liftBan: ["Moderation", "204 400 403 404 421 429 503", "moderator"],
  getDescription: ["Pages", "200 304 400 421 429", ""],
  getDescriptionPage: ["Pages", "200 304 400 421 429", ""],
  getPage: ["Pages", "200 304 400 421 429", ""],
  getRoomPage: ["Pages", "200 304 400 404 421 429", ""],
};

interface Described {
  operationId: string;
  tags: string[];
  responses: object;
  security: object[];
}

Deno.test("each call is described with its answers, and with who may call", async () => {
  const { paths, tags, components } = await (await fetch(`${server.url}/openapi.json`)).json();
  const calls = Object.values(paths as Record<string, Record<string, Described>>).flatMap((methods) =>
    Object.values(methods).map(({ operationId, tags, responses, security }) => {
      const who = security.map((needed) => Object.keys(needed).join("+") || "-").join(" ");
      return [operationId, [tags.join(), Object.keys(responses).join(" "), who]];
    })
  );
  assert.deepEqual(Object.fromEntries(calls), CALLS);
  assert.deepEqual(tags.map(({ name }: { name: string }) => name), [
    "Session",
    "Chat",
    "Moderation",
    "Monitoring",
    "Pages",
  ]);
  assert.equal(components.securitySchemes.cookie.name, "parley_session");
  assert.deepEqual(Object.keys(components.responses.TooManyRequests.headers), ["Retry-After"]);
  assert.deepEqual(Object.keys(components.responses.Unauthorized.headers), ["WWW-Authenticate"]);
  const [room, seq] = paths["/api/rooms/{room}/messages/{seq}"].delete.parameters;
  assert.deepEqual([room.schema.maxLength, seq.schema.minimum, seq.schema.type], [64, 1, "integer"]);
  const withoutModerators = await startServer({ env: { DATABASE_URL: "memory:" } });
  const bare = await (await fetch(`${withoutModerators.url}/openapi.json`)).json();
  assert.doesNotMatch(JSON.stringify([bare.tags, bare.components.securitySchemes]), /moderat/i);
  await withoutModerators.stop();
});

Deno.test("every route is described, and nothing else", async () => {
  const files = { inlineScript: "'sha256-'" };
  const services = { adminToken: "to have the moderators' routes", basePath: new BasePath(), files } as AppServices;
  const app = createApp(services);
  const routes = app.routes
    // What is for all methods is no route but stands before some; the page's files are nobody's interface.
    .filter(({ method, path }) => method !== "ALL" && !["/*", "/favicon.ico", "/service-worker.js"].includes(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^/]*\})?/g, "{$1}")}`);
  const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
  const described = Object.entries(paths as Record<string, object>)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  assert.deepEqual(described.toSorted(), [...new Set(routes)].sort());
});

Deno.test("400, 403 and 421, which come before a route is asked, are described exactly where they come", async () => {
  const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
  const refusal = async (method: string, path: string, headers: Record<string, string>) => {
    const client = await RawClient.connect(server.port);
    const lines = Object.entries({ connection: "close", ...headers }).map((pair) => pair.join(": "));
    await client.send(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    await client.until(() => client.head !== "");
    await client.close();
    return client.head.split(" ")[1];
  };
  for (const [path, methods] of Object.entries(paths as Record<string, Record<string, { responses: object }>>)) {
    const address = path.replace("{room}", "general").replace("{seq}", "1").replace("{user}", "nobody");
    for (const [name, { responses }] of Object.entries(methods)) {
      const method = name.toUpperCase();
      const described = Object.keys(responses);
      assert.equal(await refusal(method, address, { host: "%%%" }), "400");
      assert.ok(described.includes("400"), `${method} ${path}`);
      const misdirected = await refusal(method, address, { host: "evil.example" });
      assert.equal(misdirected === "421", described.includes("421"), `${method} ${path} ${misdirected}`);
      if (method === "GET") continue;
      assert.equal(await refusal(method, address, { host: "127.0.0.1", origin: "https://evil.example" }), "403");
      assert.ok(described.includes("403"), `${method} ${path}`);
    }
  }
});

Deno.test("what the server says is as its schemas have it, field for field", async () => {
  const client = await TestClient.open(server.url);
  const other = await TestClient.open(server.url);
  client.say("one", { id: "1" });
  client.say("two");
  client.send(
    { action: "send_message", room: "general", text: "three", reply_to: 1 },
    { action: "react", room: "general", target: 1, emoji: "👍", on: true, id: "r" },
    { action: "edit_message", room: "general", target: 1, text: "changed", id: "2" },
    { action: "delete_message", room: "general", target: 2, id: "3" },
    { action: "set_name", name: "Described", id: "4" },
    { action: "join_room", room: "general", id: "5" },
    { action: "fly", room: "general", id: "6" },
    { action: "ping", id: "7" },
  );
  other.send({ action: "typing", room: "general" });
  await client.until("typing");
  other.send({ action: "leave_room", room: "general", id: "8" });
  await client.until("member_left");
  await client.until("pong");
  await client.until("reacted");
  const listener = await Listener.open(server.url, "general");
  await listener.until("welcome");
  const headers = { authorization: "Bearer the moderators of the tests" };
  await (await fetch(`${server.url}/api/rooms/general`, { method: "PATCH", headers, body: '{"slow_seconds":1}' }))
    .text();
  await client.until("room_changed");
  const seen = new Set<string>();
  for (const frame of [...client.frames, ...other.frames, ...listener.events.map(({ data }) => data as ServerFrame)]) {
    const { entries } = serverFrames[frame.action];
    const { success, issues } = v.safeParse(v.strictObject(entries as v.ObjectEntries), frame);
    assert.ok(success, `${JSON.stringify(frame)}: ${issues?.[0].message}`);
    seen.add(frame.action);
  }
  // For the last two a crowd is needed, and a newer server.
  assert.deepEqual([...seen, "room_count", "unknown_entry"].sort(), Object.keys(serverFrames).sort());
  await Promise.all([client.close(), other.close(), listener.close()]);
});

Deno.test("the page for people has every frame with its fields, every call and every code, and obeys the policy", async () => {
  const response = await fetch(`${server.url}/docs`);
  const page = await response.text();
  assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
  assert.doesNotMatch(page, /<script|<style| style=| on\w+=/);
  const rows = [...page.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => row);
  for (const [action, schema] of [...Object.entries(clientFrames), ...Object.entries(serverFrames)]) {
    const fields = Object.keys(schema.entries).filter((name) => name !== "action");
    const row = rows.find((row) =>
      row.includes(`<td><code>${action}</code></td>`) &&
      fields.every((name) => new RegExp(`<code>${name}\\??</code>`).test(row))
    );
    assert.ok(row?.includes(v.getDescription(schema)!.split("`")[0]), action);
  }
  const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
  for (const path of Object.keys(paths)) assert.ok(page.includes(path), path);
  const told = await (await fetch(`${server.url}/nowhere`)).json();
  assert.equal(told.type, "/docs#not_found");
  for (const code of Object.keys(PROBLEMS)) assert.ok(page.includes(`id="${code}"`), code);
  const closing = [...page.split('id="closing"')[1].matchAll(/<td><code>(\d+)<\/code><\/td>/g)];
  assert.deepEqual(closing.map(([, code]) => Number(code)), Object.values(CLOSE).toSorted());
});

/** Runs Deno, which must have nothing to complain about. @returns what it printed */
async function deno(cwd: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
  const [printed, complaints] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.deepEqual([success, complaints], [true, ""]);
  return printed;
}
