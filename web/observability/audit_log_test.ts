import assert from "node:assert/strict";
import { FakeClock } from "../../testing/clock.ts";
import { AuditLog } from "./audit_log.ts";
import { LINES, WINDOW } from "./log_sampler.ts";

function createJournal() {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  return { clock, lines, auditLog: new AuditLog(clock, (line) => lines.push(JSON.parse(line))) };
}

Deno.test("a refusal is one line that says who and why, and only the network that they come from", () => {
  const { auditLog, lines, clock } = createJournal();
  auditLog.refused({ why: "messages", user: "u1", addressKey: "203.0.113.9" });
  assert.deepEqual(lines, [{
    time: new Date(clock.now()).toISOString(),
    event: "refused",
    why: "messages",
    user: "u1",
    network: "203.0.113.0/24",
  }]);
  auditLog.close();
});

Deno.test("what a client wrote itself is cut, and can't begin a line of its own", () => {
  const { auditLog, lines } = createJournal();
  auditLog.refused({ why: "forbidden", origin: `https://${"x".repeat(5_000)}\n{"event":"forged"}`, path: "/a\nb" });
  assert.equal(lines.length, 1);
  assert.ok(JSON.stringify(lines[0]).length < 400);
  auditLog.close();
});

Deno.test("under attack a few lines are written for each reason, and the rest is counted", async () => {
  const { auditLog, lines, clock } = createJournal();
  for (let at = 0; at < 100_000; at++) auditLog.refused({ why: "messages", user: `u${at}` });
  auditLog.refused({ why: "connections" });
  assert.equal(lines.length, LINES + 1);
  await clock.advance(WINDOW);
  assert.deepEqual([lines.at(-1)?.why, lines.at(-1)?.left_out], ["messages", 100_000 - LINES]);
  auditLog.refused({ why: "messages", user: "later" });
  assert.equal(lines.at(-1)?.user, "later");
  for (let at = 0; at < LINES; at++) auditLog.refused({ why: "messages" });
  auditLog.close();
  assert.equal(lines.at(-1)?.left_out, 1);
});
