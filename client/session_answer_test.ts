import assert from "node:assert/strict";
import { sessionAnswer } from "./session_answer.ts";

const problem = (status: number, code: string, more: object = {}) =>
  new Response(JSON.stringify({ status, code, detail: "In words.", ...more }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });

Deno.test("a refused session says what it means for the person", async () => {
  const told = async (response: Response) => {
    const answer = await sessionAnswer(response);
    return answer.kind === "refused" ? [answer.refusal, answer.retryAfter] : answer;
  };
  assert.deepEqual(await told(problem(403, "forbidden")), [{ kind: "foreign_page" }, 0]);
  assert.deepEqual(await told(problem(429, "rate_limited", { retry_after: 20 })), [{ kind: "crowded" }, 20_000]);
  assert.deepEqual(await told(problem(503, "unavailable", { retry_after: 1 })), [{ kind: "not_ready" }, 1_000]);
  assert.deepEqual(await told(problem(421, "forbidden")), [{ kind: "other", message: "In words." }, 0]);
  assert.deepEqual(await told(problem(401, "forbidden")), { kind: "signed_out", loginUrl: null });
  assert.deepEqual(await told(problem(401, "forbidden", { login_url: "https://a.example" })), {
    kind: "signed_out",
    loginUrl: "https://a.example",
  });
  assert.deepEqual(await told(Response.json({ user: "u" }, { status: 201 })), { kind: "granted" });
});

Deno.test("a field that makes no sense in an answer is ignored", async () => {
  for (
    const [retry_after, wait] of [["30s", 0], [NaN, 0], [-1, 0], [null, 0], [{}, 0], [1e10, 3_600_000], [1e400, 0]]
  ) {
    const answer = await sessionAnswer(problem(503, "unavailable", { retry_after }));
    assert.ok(answer.kind === "refused");
    assert.equal(answer.retryAfter, wait, String(retry_after));
  }
  for (const login_url of ["/login", "javascript:alert(1)", 5, {}, "data:text/html,x"]) {
    const answer = await sessionAnswer(problem(401, "forbidden", { login_url }));
    assert.deepEqual(answer, { kind: "signed_out", loginUrl: null });
  }
  const odd = await sessionAnswer(problem(421, "forbidden", { detail: { not: "words" } }));
  assert.ok(odd.kind === "refused");
  assert.deepEqual(odd.refusal, { kind: "other", message: "" });
});

Deno.test("an answer that is not the server's own counts as intercepted, whatever its status", async () => {
  const html = { headers: { "content-type": "text/html" } };
  const json = { headers: { "content-type": "application/json" } };
  const bodies = ["{", "7", "[]", "null", '{"message":"Bad gateway"}', '{"code":502}'];
  for (const status of [200, 401, 403, 404, 429, 502, 504]) {
    const responses = bodies.map((body) => new Response(body, { status, ...json }));
    for (const response of [new Response('{"user":"u","code":"x"}', { status, ...html }), ...responses]) {
      assert.deepEqual(await sessionAnswer(response), {
        kind: "refused",
        refusal: { kind: "intercepted", status },
        retryAfter: 0,
      });
    }
  }
});
