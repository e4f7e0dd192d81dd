import assert from "node:assert/strict";
import { TestClient } from "../../testing/clients/client.ts";
import { FakeClock } from "../../testing/clock.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { startServer } from "../../testing/servers/server.ts";
import { until } from "../../testing/until.ts";
import { LAG_INTERVAL, Metrics } from "./metrics.ts";
import { GATHERING } from "./metrics_gathering.ts";

/** The samples of a scrape by their names with labels; each line must be one that Prometheus takes. */
async function samples(answer: Response): Promise<Map<string, number>> {
  assert.equal(answer.status, 200);
  const [type] = answer.headers.get("content-type")!.split(";");
  assert.equal(type, "text/plain");
  const lines = (await answer.text()).split("\n").filter((line) => line !== "");
  return new Map(
    lines.filter((line) => !/^# (HELP|TYPE) [a-z_]+ ./.test(line)).map((line) => {
      const [, name, value] = /^([a-z_]+(?:\{(?:[a-z_]+="[^"]*",?)+\})?) (\S+)$/.exec(line) ?? assert.fail(line);
      return [name, Number(value)];
    }),
  );
}

Deno.test("the metrics tell what this server does", async () => {
  const server = await startServer();
  const ann = await TestClient.open(server.url);
  const bob = await TestClient.open(server.url, { protocols: ["chat.batch.v1"], query: "?room=general,islands" });
  await bob.until("room_joined", ({ room }) => room === "islands");
  ann.say("one", { id: "1" });
  await ann.until("receive_message");
  ann.say("one", { id: "1" });
  await until(() => ann.frames.filter(({ action }) => action === "receive_message").length === 2);
  bob.say("two");
  bob.say(" ");
  await bob.until("error");
  for (const client of [ann, bob]) {
    await client.until("receive_message", ({ seq }) => seq === 2);
    await client.soFar();
  }
  await (await fetch(`${server.url}/nowhere`)).body?.cancel();
  await new TestClient(server.url, { protocols: ["chat.v1", "bearer.junk"] }).closed;
  const told = await samples(await fetch(`${server.url}/metrics`));
  const figures = {
    parley_connections: 2,
    parley_people: 2,
    parley_rooms: 2,
    parley_messages_in_total: 2,
    // Each to both, and the repeated one to its author again.
    parley_messages_out_total: 5,
    parley_slow_readers_total: 0,
    'parley_sent_away_total{code="4401"}': 1,
    'parley_refusals_total{code="text_empty"}': 1,
    'parley_refusals_total{code="not_found"}': 1,
    'parley_store_failures_total{operation="append"}': undefined,
  };
  for (const [name, value] of Object.entries(figures)) assert.equal(told.get(name), value, name);
  for (const [name, value] of told) {
    if (name.startsWith("parley_build_info{")) {
      assert.match(name, new RegExp(`deno="${Deno.version.deno}"`), `${value}`);
    }
  }
  const some = [
    "parley_turn_seconds_count",
    'parley_store_seconds_count{operation="append"}',
    "process_resident_memory_bytes",
    "process_start_time_seconds",
  ];
  for (const name of some) assert.ok(told.get(name)! > 0, name);
  await Promise.all([ann.close(), bob.close()]);
  await server.stop();
});

Deno.test("a store that fails is counted by what was asked of it", async () => {
  const metrics = new Metrics(new FakeClock(), "0");
  metrics.storeAnswered("append", 30, true);
  const told = await samples(await metrics.answer());
  assert.equal(told.get('parley_store_failures_total{operation="append"}'), 1);
  assert.equal(told.get('parley_store_seconds_bucket{le="0.025",operation="append"}'), 0);
  assert.equal(told.get('parley_store_seconds_bucket{le="0.05",operation="append"}'), 1);
  metrics.stop();
});

Deno.test("the event loop's lag is how late a timer was", async () => {
  const clock = new FakeClock();
  const metrics = new Metrics(clock, "0");
  await clock.advance(3 * LAG_INTERVAL);
  clock.spend(LAG_INTERVAL + 400);
  await clock.advance(0);
  const told = await samples(await metrics.answer());
  assert.equal(told.get("parley_event_loop_lag_seconds_count"), 4);
  assert.equal(told.get("parley_event_loop_lag_seconds_sum"), 0.4);
  metrics.stop();
});

Deno.test("a turn is told when it is over, and is as long as the store takes", async () => {
  const { clock, storage, chat } = createChat();
  const append = storage.append.bind(storage);
  storage.append = (commands) => {
    clock.spend(30);
    return append(commands);
  };
  const turns: number[] = [];
  chat.services.pipeline.counters.onFlushCycle = (milliseconds) => turns.push(milliseconds);
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send({ action: "send_message", room: "general", text: "x" });
  assert.ok(turns.includes(30), `${turns}`);
  chat.close();
});

Deno.test("with OTEL_DENO requests, figures and logs go to a collector, and no token with them", async () => {
  const sent = new Map<string, string>();
  const collector = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    sent.set(pathname, `${sent.get(pathname) ?? ""}${await request.text()}`);
    return Response.json({});
  });
  const server = await startServer({
    env: {
      OTEL_DENO: "true",
      OTEL_SERVICE_NAME: "parley",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    },
  });
  const { token } = await (await fetch(`${server.url}/api/session`, { method: "POST" })).json();
  const client = await TestClient.open(server.url, { protocols: ["chat.v1", `bearer.${token}`] });
  await client.close();
  await server.stop();
  await collector.shutdown();
  assert.match(sent.get("/v1/traces")!, /"\/api\/session"/);
  assert.match(sent.get("/v1/metrics")!, /"http\.server\.request\.duration"/);
  assert.match(sent.get("/v1/logs")!, /Parley is open at/);
  for (const [path, text] of sent) assert.ok(!text.includes(token), path);
});

Deno.test("of several isolates each tells the figures of all, and of those that answer if one does not", async () => {
  const clock = new FakeClock();
  const isolates = ["1", "2"].map((worker) => new Metrics(clock, "0", { worker, of: 2 }));
  isolates[0].storeAnswered("append", 30, false);
  isolates[1].storeAnswered("append", 300, true);
  for (const asked of isolates) {
    const ofBoth = await samples(await asked.answer());
    for (const [worker, sum] of [["1", 0.03], ["2", 0.3]]) {
      assert.equal(ofBoth.get(`parley_store_seconds_sum{operation="append",worker="${worker}"}`), sum);
    }
    assert.equal(ofBoth.get(`parley_build_info{version="0",deno="${Deno.version.deno}"}`), 1);
  }
  isolates[1].stop();
  const answer = isolates[0].answer();
  await clock.advance(GATHERING);
  const ofOne = await samples(await answer);
  assert.equal(ofOne.get('parley_store_seconds_sum{operation="append",worker="2"}'), undefined);
  assert.equal(ofOne.get('parley_store_seconds_sum{operation="append",worker="1"}'), 0.03);
  isolates[0].stop();
});
