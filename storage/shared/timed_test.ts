import assert from "node:assert/strict";
import { Refusal } from "../../chat/errors.ts";
import { FakeClock } from "../../testing/clock.ts";
import { MemoryEngine } from "../memory.ts";
import { timed } from "./timed.ts";

Deno.test("each answer of a store is timed, also one that fails, and is passed on as it is", async () => {
  const clock = new FakeClock();
  const memory = new MemoryEngine({ clock, secret: "secret", retention: { messages: 0, days: 0 } });
  const told: [string, number, boolean][] = [];
  const engine = timed(memory, clock, (...answer) => told.push(answer));
  assert.equal(await engine.secret(), "secret");
  const check = memory.check.bind(memory);
  memory.check = async () => {
    clock.spend(7);
    await check();
    throw new Refusal("unavailable", "It is out.");
  };
  await assert.rejects(engine.check(), { code: "unavailable" });
  engine.follow("general", () => {})();
  assert.deepEqual(told, [["secret", 0, false], ["check", 7, true]]);
});
