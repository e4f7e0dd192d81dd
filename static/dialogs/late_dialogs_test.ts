import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import type { State } from "../state.ts";
import type { Dialogs } from "./dialogs.ts";
import { lateDialogs } from "./late_dialogs.ts";

const state = (unread: number) => ({ unread }) as State;

/** Dialogs whose code comes when the test says so. */
function setUp() {
  const loads: PromiseWithResolvers<Dialogs>[] = [];
  const done: string[] = [];
  const late = lateDialogs(() => {
    loads.push(Promise.withResolvers());
    return loads.at(-1)!.promise;
  }, () => done.push("failed"));
  const dialogs: Dialogs = {
    changeName: () => done.push("name"),
    changeRoom: (room) => done.push(`room ${room}`),
    moderate: () => done.push("moderate"),
    openPerson: ({ name }) => done.push(`person ${name}`),
    render: ({ unread }) => done.push(`render ${unread}`),
  };
  return { late, loads, done, dialogs };
}

Deno.test("a dialog that is opened before its code has come opens then, and shows what is true then", async () => {
  const { late, loads, done, dialogs } = setUp();
  late.load();
  late.render(state(1));
  late.changeRoom("islands");
  late.render(state(2));
  assert.equal(loads.length, 1);
  loads[0].resolve(dialogs);
  await settle();
  assert.deepEqual(done, ["render 2", "room islands"]);
  late.changeName();
  late.render(state(3));
  late.openPerson({ user: "u2", name: "Mina" });
  late.moderate();
  assert.deepEqual(done.slice(2), ["name", "render 3", "person Mina", "moderate"]);
});

Deno.test("dialogs that can't be loaded are loaded again when somebody opens one, who is told if that fails too", async () => {
  const { late, loads, done, dialogs } = setUp();
  late.load();
  loads[0].reject(new TypeError("no network"));
  await settle();
  assert.deepEqual(done, [], "nobody waits for one");
  late.changeName();
  loads[1].reject(new TypeError("no network"));
  await settle();
  assert.deepEqual(done, ["failed"]);
  late.changeName();
  loads[2].resolve(dialogs);
  await settle();
  assert.deepEqual(done, ["failed", "name"]);
});
