import assert from "node:assert/strict";
import { memoryStorage } from "../../testing/browser/memory_storage.ts";
import { loadPlace, savePlace } from "./places.ts";

Deno.test("a place is kept for each room until the reader is at the newest message, and read only as far as it makes sense", () => {
  const storage = memoryStorage();
  savePlace(storage, "섬", { seq: 7, offset: -3.6 });
  savePlace(storage, "a", { seq: 1, offset: 0 });
  assert.deepEqual([loadPlace(storage, "섬"), loadPlace(storage, "b")], [{ seq: 7, offset: -4 }, null]);
  savePlace(storage, "섬", null);
  assert.equal(loadPlace(storage, "섬"), null);
  for (const junk of ["{", "null", "5", "[1]", '["1",2]', "[1e99,2]"]) {
    storage.write("parley.place:a", junk);
    assert.equal(loadPlace(storage, "a"), null, junk);
  }
});
