import assert from "node:assert/strict";
import { Hono } from "hono";
import { FakeClock } from "../../testing/clock.ts";
import { Metrics } from "../observability/metrics.ts";
import { problem } from "../schema/problem.ts";
import type { App, AppServices } from "../services.ts";
import { addMetrics } from "./metrics.ts";

Deno.test("the metrics are for who has the token, and without one for a direct caller on this machine", async () => {
  const metrics = new Metrics(new FakeClock(), "0");
  const status = async (ask: { token?: string; from?: string; at?: string; headers?: Record<string, string> }) => {
    const app: App = new Hono();
    addMetrics(app, { metrics, metricsToken: ask.token } as AppServices);
    app.onError((error) => problem(error, "/docs"));
    const remoteAddr = { transport: "tcp", hostname: ask.from ?? "127.0.0.1", port: 1 } as const;
    const url = `http://${ask.at ?? "localhost:8000"}/metrics`;
    const answer = await app.request(url, { headers: ask.headers }, { remoteAddr, completed: Promise.resolve() });
    await answer.body?.cancel();
    return answer.status;
  };
  assert.equal(await status({}), 200);
  assert.equal(await status({ from: "::1", at: "[::1]:8000" }), 200);
  assert.equal(await status({ from: "::ffff:127.0.0.1", at: "127.0.0.1" }), 200);
  assert.equal(await status({ from: "10.0.0.7" }), 403, "another machine");
  assert.equal(await status({ at: "chat.example" }), 403, "a name that only leads here");
  for (const name of ["forwarded", "x-forwarded-for", "X-Real-IP", "via"]) {
    assert.equal(await status({ headers: { [name]: "127.0.0.1" } }), 403, name);
  }
  const token = "a long token";
  for (const from of ["127.0.0.1", "10.0.0.7"]) {
    assert.equal(await status({ token, from, at: "chat.example", headers: { authorization: `Bearer ${token}` } }), 200);
    for (const authorization of [undefined, "Bearer", `Bearer ${token}x`, `Basic ${token}`, token, "Bearer a  long"]) {
      assert.equal(await status({ token, from, headers: authorization ? { authorization } : {} }), 401, authorization);
    }
  }
  metrics.stop();
});
