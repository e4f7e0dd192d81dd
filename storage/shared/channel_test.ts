import assert from "node:assert/strict";
import { until } from "../../testing/until.ts";
import { Channel } from "./channel.ts";

Deno.test("what is about one room goes no further where nobody subscribes to it", async () => {
  const heard: unknown[] = [];
  const nothing = () => {};
  const listener = (hear: (what: unknown) => void) => ({
    has: (room: string) => room === "here",
    notified: hear,
    renewed: nothing,
    onEvent: hear,
  });
  const one = new Channel("channel test", listener(nothing));
  const other = new Channel("channel test", listener((what) => heard.push(what)));
  const typing = (room: string) => ({ kind: "typing", room, user: "ann", name: "Ann" }) as const;
  for (const room of ["elsewhere", "here"]) {
    one.notify(room, { epoch: "e", entries: [] });
    one.publish(typing(room));
  }
  one.publish({ kind: "bans_changed" });
  await until(() => heard.length >= 3);
  assert.deepEqual(heard, ["here", typing("here"), { kind: "bans_changed" }]);
  one.close();
  other.close();
});
