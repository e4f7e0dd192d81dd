import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import type { State } from "../state.ts";
import type { Dialogs } from "./dialogs.ts";
import { lazyDialogs } from "./lazy_dialogs.ts";

const state = (count: number, room = "general") => ({ room: { name: room, count } }) as State;

/** Dialogs whose code comes when the test says so. */
function setUp() {
  const code = Promise.withResolvers<Dialogs>();
  const done: string[] = [];
  let loads = 0;
  const lazy = lazyDialogs(() => {
    loads++;
    return code.promise;
  }, () => done.push("failed"));
  const dialogs: Dialogs = {
    changeName: () => done.push("name"),
    changeRoom: (room) => done.push(`room ${room}`),
    openRoom: (room) => done.push(`room ${room}`),
    jumpToDate: () => done.push("date"),
    moderate: () => done.push("moderate"),
    openPerson: ({ name }) => done.push(`person ${name}`),
    openThread: (seq) => done.push(`thread ${seq}`),
    share: () => done.push("share"),
    newRoom: () => done.push("new room"),
    openSettings: () => done.push("settings"),
    showKeys: () => done.push("keys"),
    render: ({ room }) => done.push(`render ${room.count}`),
  };
  return { lazy, code, done, dialogs, loads: () => loads };
}

Deno.test("a dialog that is asked for before its code has come opens then, and shows what is true then", async () => {
  const { lazy, code, done, dialogs, loads } = setUp();
  lazy.load();
  lazy.render(state(1));
  lazy.changeRoom("islands");
  lazy.render(state(2));
  code.resolve(dialogs);
  await settle();
  assert.deepEqual([done, loads()], [["render 2", "room islands"], 1]);
  lazy.changeName();
  lazy.render(state(3));
  lazy.openPerson({ user: "u2", name: "Mina" });
  lazy.moderate();
  lazy.share();
  lazy.newRoom();
  lazy.openSettings();
  lazy.showKeys();
  const opened = ["moderate", "share", "new room", "settings", "keys"];
  assert.deepEqual(done.slice(2), ["name", "render 3", "person Mina", ...opened]);
});

Deno.test("of several dialogs that are asked for before their code has come, the last one opens", async () => {
  const { lazy, code, done, dialogs } = setUp();
  for (let times = 0; times < 2; times++) lazy.changeName();
  lazy.changeRoom("");
  code.resolve(dialogs);
  await settle();
  assert.deepEqual(done, ["room "]);
});

Deno.test("a dialog that was asked for in another room does not open", async () => {
  const { lazy, code, done, dialogs } = setUp();
  lazy.render(state(1));
  lazy.changeName();
  lazy.render(state(1, "islands"));
  code.resolve(dialogs);
  await settle();
  assert.deepEqual(done, ["render 1"]);
});

Deno.test("who asks for a dialog that can't be loaded is told each time, and nobody else is", async () => {
  const { lazy, code, done } = setUp();
  lazy.load();
  code.reject(new TypeError("no network"));
  await settle();
  assert.deepEqual(done, []);
  lazy.changeName();
  lazy.changeRoom("");
  assert.deepEqual(done, ["failed", "failed"]);
  const waiting = setUp();
  waiting.lazy.changeName();
  waiting.code.reject(new TypeError("no network"));
  await settle();
  assert.deepEqual(waiting.done, ["failed"]);
});
