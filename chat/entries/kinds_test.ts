import assert from "node:assert/strict";
import { message as shown } from "../../testing/clients/frames.ts";
import type { Entry } from "../protocol.ts";
import { changed, kindOf } from "./kinds.ts";
import { message } from "./message.ts";

Deno.test("an action that is named like a property of every object is of no kind, and changes nothing", () => {
  assert.equal(kindOf({ action: "receive_message" }), message);
  for (const action of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    assert.equal(kindOf({ action }), undefined, action);
    const entry = { action, room: "general", seq: 2, target: 1, user: "u2", date: 2 };
    assert.deepEqual(changed(shown(1), entry as unknown as Entry), shown(1), action);
  }
});
