import assert from "node:assert/strict";
import type { Member } from "../../chat/protocol.ts";
import { joined, message } from "../../testing/clients/frames.ts";
import { expireTyping, memberJoined, memberLeft, renameMember, startedTyping, TYPING_SHOWN } from "./people.ts";
import { applyEntry, applyJoin } from "./room_log.ts";
import { emptyRoom } from "./room_state.ts";

const room = applyJoin(emptyRoom("general"), joined());
const mina: Member = { user: "u2", name: "Mina" };
const frame = { room: "general", ...mina };

Deno.test("people join once, get a new name, and leave", () => {
  const joining = { action: "member_joined", ...frame } as const;
  const here = memberJoined(memberJoined(room, joining), joining);
  assert.equal(here.count, 2);
  const renamed = renameMember(here, { ...mina, name: "Minji" });
  assert.deepEqual(renamed.members[1], { ...mina, name: "Minji" });
  assert.equal(memberLeft(renamed, { action: "member_left", ...frame }).count, 1);
});

Deno.test("someone counts as typing until they send, leave, or stop", () => {
  const typing = startedTyping(room, { action: "typing", ...frame }, 0);
  assert.equal(startedTyping(typing, { action: "typing", ...frame }, 1).typing.length, 1);
  assert.equal(applyEntry(typing, message(1)).typing.length, 0);
  assert.equal(memberLeft(typing, { action: "member_left", ...frame }).typing.length, 0);
  assert.equal(expireTyping(typing, TYPING_SHOWN).typing.length, 0);
  assert.equal(expireTyping(typing, TYPING_SHOWN - 1), typing);
});
