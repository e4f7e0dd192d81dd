import assert from "node:assert/strict";
import { memoryStorage } from "../../testing/browser/memory_storage.ts";
import { type Level, levelOf, loadSettings, ROOMS_LIMIT, saveSettings, SETTINGS_KEY, withLevel } from "./settings.ts";

const read = (stored: string) => loadSettings(memoryStorage({ [SETTINGS_KEY]: stored }));

Deno.test("at first nothing is on, and a room tells of mentions", () => {
  const settings = loadSettings(memoryStorage());
  assert.deepEqual([settings.on, settings.sound, levelOf(settings, "general")], [false, false, "mentions"]);
});

Deno.test("each room keeps its own level; the default takes no place", () => {
  const storage = memoryStorage();
  const chosen = withLevel(withLevel(loadSettings(storage), "islands", "nothing"), "__proto__", "everything");
  saveSettings(storage, { ...chosen, on: true, sound: true });
  const settings = loadSettings(storage);
  assert.deepEqual([settings.on, settings.sound], [true, true]);
  assert.deepEqual(["islands", "__proto__", "general"].map((room) => levelOf(settings, room)), [
    "nothing",
    "everything",
    "mentions",
  ]);
  assert.equal(withLevel(settings, "islands", "mentions").rooms.size, 1);
});

Deno.test("of very many rooms the one chosen the longest ago has the default again", () => {
  let settings = loadSettings(memoryStorage());
  for (let room = 0; room <= ROOMS_LIMIT; room++) settings = withLevel(settings, `${room}`, "everything");
  const levels = [levelOf(settings, "0"), levelOf(settings, "1"), levelOf(settings, `${ROOMS_LIMIT}`)];
  assert.deepEqual(levels, ["mentions", "everything", "everything"]);
});

Deno.test("what something else has stored turns nothing on", () => {
  const off = { on: false, sound: false, rooms: new Map() };
  for (
    const stored of ["", "null", "[]", "7", "{", '{"on":1,"sound":"yes","rooms":{}}', '{"rooms":[null,[1],["a"]]}']
  ) {
    assert.deepEqual(read(stored), off, stored);
  }
  const rooms = [["a", "loud" as Level], ["b", "nothing"], "c"];
  assert.deepEqual(read(JSON.stringify({ on: true, rooms })), {
    on: true,
    sound: false,
    rooms: new Map([["b", "nothing"]]),
  });
});
