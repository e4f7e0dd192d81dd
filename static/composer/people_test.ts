import assert from "node:assert/strict";
import { initialClientState } from "../../client/client_state.ts";
import { message } from "../../testing/clients/frames.ts";
import { matchingPeople, peopleIn, personNamed } from "./people.ts";

const members = ["User 482", "Ann Lee", "김민수", "Leo", "User 48"].map((name) => ({ user: `of ${name}`, name }));
const names = (typed: string) => matchingPeople(members, typed).map(({ name }) => name);

Deno.test("people are found by the beginning of any word of their name, those by its first word before others", () => {
  assert.deepEqual(names("le"), ["Leo", "Ann Lee"]);
  assert.deepEqual(names("USER 48"), ["User 482", "User 48"]);
  assert.deepEqual(names("48"), ["User 482", "User 48"]);
  assert.deepEqual(["ㄱㅁ", "김미", "민"].map((typed) => names(typed).length), [1, 1, 0]);
  assert.deepEqual([names("ann l"), names("ann x"), names("lee x")], [["Ann Lee"], [], []]);
  assert.equal(names("").length, members.length);
});

Deno.test("whoever wrote last comes first, under their present name, and oneself never", () => {
  const { room } = initialClientState("general");
  const said = (seq: number, user: string, from: string) => message(seq, { user, from });
  const messages = [said(1, "a", "Ann"), said(2, "b", "Bob"), said(3, "a", "Ann"), said(4, "me", "Me")];
  const here = [{ user: "me", name: "Me" }, { user: "z", name: "Zoe" }, { user: "b", name: "Bobby" }];
  const people = peopleIn({ room: { ...room, messages, members: here }, me: { user: "me", name: "Me" } });
  assert.deepEqual(people.map(({ name }) => name), ["Ann", "Bobby", "Zoe"]);
});

Deno.test("a person is named in any case, and exactly where two names differ in nothing else", () => {
  const two = [{ user: "1", name: "ann" }, { user: "2", name: "Ann" }];
  assert.deepEqual(["Ann", "ANN", "An"].map((name) => personNamed(two, name)?.user), ["2", "1", undefined]);
});
