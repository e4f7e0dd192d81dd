import assert from "node:assert/strict";
import { ChatError, NameHeldError } from "../../chat/errors.ts";
import { HttpRefusal, problem } from "./problem.ts";

Deno.test("a problem says what to bring or to do, in headers too", () => {
  const headers = (status: number, retryAfter?: number) =>
    problem(new HttpRefusal(status, "forbidden", "In words.", retryAfter), "/docs").headers;
  assert.equal(headers(401).get("www-authenticate"), "Bearer");
  assert.equal(headers(426).get("upgrade"), "websocket");
  assert.equal(headers(429, 1.2).get("retry-after"), "2");
  for (const name of ["www-authenticate", "upgrade", "retry-after"]) assert.equal(headers(403).get(name), null);
});

Deno.test("a problem says until when a name is held", async () => {
  const body = await problem(new NameHeldError("In words.", 1_795_000_000_000), "/docs").json();
  assert.deepEqual([body.status, body.code, body.held_until], [409, "name_taken", 1_795_000_000_000]);
  const taken = await problem(new ChatError("name_taken", "In words."), "/docs").json();
  assert.equal("held_until" in taken, false);
});

Deno.test("a fault of our own is written down, and its words are passed on to nobody", async () => {
  const written: unknown[] = [];
  const { error } = console;
  console.error = (...words) => void written.push(...words);
  const answer = problem(new Error("a secret"), "/chat/docs");
  console.error = error;
  const body = await answer.json();
  assert.deepEqual([answer.status, body.code, body.type], [503, "unavailable", "/chat/docs#unavailable"]);
  assert.doesNotMatch(JSON.stringify(body), /secret/);
  assert.match(String(written), /could not be answered.*a secret/);
});
