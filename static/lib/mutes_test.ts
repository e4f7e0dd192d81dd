import assert from "node:assert/strict";
import { isMuted, loadMuted, mute, MUTED_KEY, MUTED_LIMIT, saveMuted, unmute } from "./mutes.ts";

const eve = { user: "u3", name: "Eve" };
const mal = { user: "u4", name: "Mal" };

Deno.test("a muted person is muted once, whatever their name, until they are unmuted", () => {
  const muted = mute(mute(mute([], eve), mal), { ...eve, name: "Adam" });
  assert.deepEqual(muted, [mal, { ...eve, name: "Adam" }]);
  assert.equal(isMuted(muted, eve.user), true);
  assert.equal(isMuted(unmute(muted, eve.user), eve.user), false);
});

Deno.test("past the limit, the person muted the longest ago is unmuted", () => {
  let muted = mute([], eve);
  for (let at = 0; at < MUTED_LIMIT; at++) muted = mute(muted, { user: `x${at}`, name: "x" });
  assert.equal(muted.length, MUTED_LIMIT);
  assert.equal(isMuted(muted, eve.user), false);
});

Deno.test("stored mutes are read as far as they can be understood", () => {
  const content: Record<string, string> = {};
  const storage = {
    read: (key: string) => content[key] ?? null,
    write(key: string, value: string | null) {
      if (value === null) delete content[key];
      else content[key] = value;
    },
  };
  assert.deepEqual(loadMuted(storage), []);
  saveMuted(storage, [eve]);
  assert.deepEqual(loadMuted(storage), [eve]);
  for (const junk of ["{", "null", "5", '{"user":"x"}', '["x",null,{"user":5}]']) {
    content[MUTED_KEY] = junk;
    assert.deepEqual(loadMuted(storage), [], junk);
  }
  saveMuted(storage, []);
  assert.deepEqual(content, {});
});
