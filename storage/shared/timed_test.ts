import assert from "node:assert/strict";
import { ChatError } from "../../chat/errors.ts";
import { FakeClock } from "../../testing/clock.ts";
import { MemoryStorage } from "../memory.ts";
import { timed } from "./timed.ts";

Deno.test("each answer of a store is timed, also one that fails, and is passed on as it is", async () => {
  const clock = new FakeClock();
  const memory = new MemoryStorage({ clock, secret: "secret", retention: { messages: 0, days: 0 } });
  const told: [string, number, boolean][] = [];
  const storage = timed(memory, clock, (...answer) => told.push(answer));
  assert.equal(await storage.secret(), "secret");
  const check = memory.check.bind(memory);
  memory.check = async () => {
    clock.spend(7);
    await check();
    throw new ChatError("unavailable", "It is out.");
  };
  await assert.rejects(storage.check(), { code: "unavailable" });
  storage.subscribe("general", () => {})();
  await storage.names.hold([]);
  await storage.moderation.settings("general");
  assert.deepEqual(told, [
    ["secret", 0, false],
    ["check", 7, true],
    ["holdNames", 0, false],
    ["roomSettings", 0, false],
  ]);
});
