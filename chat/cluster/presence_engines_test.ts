/** Presence on every store that several isolates share: what each of them passes on is enough. */
import assert from "node:assert/strict";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { engines } from "../../testing/storage/engines.ts";
import { until } from "../../testing/until.ts";

for (const { name, rule } of engines) {
  if (name === "memory") continue;
  rule("people are seen on every isolate that shares the store", async ({ storage, clock, store }) => {
    const others = [await store.open({ clock }), await store.open({ clock })];
    const [one, two, three] = [storage, ...others].map((each) => createChat({ clock, storage: each }).chat);
    // Slower than real time, in which the stores answer.
    const during = (isDone: () => boolean) => until(() => clock.advance(1).then(isDone));
    const answer = async <Result>(work: Promise<Result>): Promise<Result> => {
      let result: { is: Result } | undefined;
      work.then((is) => result = { is });
      await during(() => result !== undefined);
      return result!.is;
    };
    const has = (client: FakeClient, action: "member_joined" | "member_left", user: string) =>
      client.all(action).some((frame) => frame.user === user);

    const ann = new FakeClient(one, "ann", ["island"]);
    await during(() => ann.frames.some(({ action }) => action === "room_joined"));
    const bob = new FakeClient(two, "bob", ["island"]);
    await during(() => has(bob, "member_joined", "ann") && has(ann, "member_joined", "bob"));
    // The third holds no room: it knows who lives, and asks.
    const { cluster } = three.services;
    const { people, count } = await answer(cluster.peopleIn("island", "", 10));
    assert.deepEqual([people.map(({ user }) => user), count], [["ann", "bob"], 2]);
    assert.equal((await answer(cluster.countsIn(["general", "island"])))("island"), 2);
    assert.equal(await answer(cluster.isHere("bob")), true);
    ann.session.receive({ action: "leave_room", room: "island" });
    await during(() => has(bob, "member_left", "ann"));

    for (const chat of [one, two, three]) chat.close();
    for (const other of others) await other.close();
  });
}
