/** The contract of `chat/storage.ts` for reactions to messages, which every storage passes. */
import assert from "node:assert/strict";
import { type Reaction, type ReactionChange, REACTIONS_LIMIT } from "../chat/protocol.ts";
import { PEOPLE_LISTED, reactedIn, reactionPeople } from "../chat/reading/reactions.ts";
import { reaction } from "../chat/entries/reaction.ts";
import { changed } from "../chat/entries/kinds.ts";
import type { Command, Storage } from "../chat/storage.ts";
import { engines } from "../testing/storage/engines.ts";

type React = Extract<Command, { action: "react" }>;
const say = (text: string): Command => ({ action: "send_message", room: "r", user: "ann", from: "Ann", text });
const remove = (target: number): Command => (
  { action: "delete_message", room: "r", user: "ann", from: "Ann", target }
);
const react = (user: string, emoji: string, on = true, target = 1): React => (
  { action: "react", room: "r", user, from: user.toUpperCase(), target, emoji, on }
);
/** Reactions to one message that came in one flush cycle. */
const together = (...commands: React[]) => reaction.merge!(commands) as Command;
const outcomes = async (storage: Storage, ...commands: Command[]) =>
  (await storage.append(commands)).map((result) => "entry" in result ? result.entry.seq : result.refused);
const reactions = async (storage: Storage, seq = 1): Promise<Reaction[] | undefined> =>
  (await storage.history("r", { limit: 99 })).messages.find((message) => message.seq === seq)?.reactions;
const changesIn = async (storage: Storage, after: number) =>
  (await storage.read("r", after)).entries.map((entry) =>
    entry.action === "message_reacted"
      ? entry.changes.map(({ user, emoji, on }) => `${user} ${on ? "+" : "-"}${emoji}`)
      : entry.action
  );
const people = Array.from({ length: 9 }, (_, at) => `u${9 - at}`);

for (const { rule } of engines) {
  rule("a reaction is an entry without a user, live and later, and its message shows it", async (checked) => {
    const { storage, clock, store } = checked;
    const live: unknown[] = [];
    storage.subscribe("r", ({ entries }) => live.push(...entries));
    await storage.append([say("tea?")]);
    const [result] = await storage.append([react("bob", "🍵")]);
    const change: ReactionChange = { user: "bob", from: "BOB", emoji: "🍵", on: true };
    const entry = { action: "message_reacted", room: "r", seq: 2, target: 1, changes: [change], date: clock.now() };
    assert.deepEqual(result, { entry, repeated: false, refusals: [undefined] });
    assert.deepEqual((await storage.read("r", 1)).entries, [entry]);
    assert.deepEqual(live.slice(1), [entry]);
    assert.deepEqual(await reactions(storage), [{ emoji: "🍵", count: 1, users: ["bob"] }]);
    assert.equal("reactions" in (await storage.read("r", 0)).entries[0], false);
    if (!store.lasting) return;
    const other = await store.open({ clock });
    assert.deepEqual((await other.read("r", 1)).entries, [entry]);
    assert.deepEqual(await reactions(other), [{ emoji: "🍵", count: 1, users: ["bob"] }]);
    await other.close();
  });

  rule("what is so already makes no entry, also within one call", async ({ storage }) => {
    await storage.append([say("tea?")]);
    assert.deepEqual(
      await outcomes(
        storage,
        react("bob", "🍵", false),
        react("bob", "🍵"),
        react("bob", "🍵"),
        react("bob", "☕"),
        react("bob", "🍵", false),
        react("bob", "🍵", false),
      ),
      [undefined, 2, undefined, 3, 4, undefined],
    );
    assert.deepEqual(await outcomes(storage, react("bob", "☕"), react("bob", "🍵", false)), [undefined, undefined]);
    assert.deepEqual(await reactions(storage), [{ emoji: "☕", count: 1, users: ["bob"] }]);
    await storage.append([react("bob", "☕", false)]);
    assert.equal(await reactions(storage), undefined);
    assert.equal((await storage.read("r", 0)).seq, 5);
  });

  rule("several people's reactions are one entry, and each is answered for itself", async ({ storage }) => {
    await storage.append([say("tea?"), react("eve", "☕")]);
    const [result] = await storage.append([
      together(
        react("bob", "🍵"),
        react("eve", "☕"),
        react("eve", "☕", false),
        react("bob", "🍵"),
        react("cat", "🍵"),
      ),
    ]);
    assert.ok("entry" in result && result.refusals?.every((each) => each === undefined));
    assert.deepEqual(await changesIn(storage, 2), [["bob +🍵", "eve -☕", "cat +🍵"]]);
    assert.deepEqual(await reactions(storage), [{ emoji: "🍵", count: 2, users: ["bob", "cat"] }]);
    const [unchanged] = await storage.append([together(react("bob", "🍵"), react("eve", "☕", false))]);
    assert.equal("unchanged" in unchanged, true);
    // Nothing of it is stored where all of it is refused.
    const refused = await storage.append([together(react("bob", "🍵", true, 9), react("eve", "☕", true, 9))]);
    assert.deepEqual(refused, [{ refused: "not_found" }]);
    assert.equal((await storage.read("r", 0)).seq, 3);
  });

  rule("what has no reactions is not_found: nothing, an edit, a reaction, a deleted message", async ({ storage }) => {
    const edit: Command = { action: "edit_message", room: "r", user: "ann", from: "Ann", target: 1, text: "Tea?" };
    await storage.append([say("tea?"), edit, react("bob", "🍵"), say("gone"), remove(4)]);
    const targets = [0, 2, 3, 4, 5, 6, 99];
    const results = await outcomes(storage, ...targets.map((target) => react("bob", "🍵", true, target)));
    assert.deepEqual(results, targets.map(() => "not_found"));
    assert.deepEqual(await outcomes(storage, { ...react("bob", "🍵"), room: "q" }), ["not_found"]);
    assert.deepEqual(await reactions(storage), [{ emoji: "🍵", count: 1, users: ["bob"] }]);
  });

  rule("a message has at most so many kinds of reactions, and one that goes makes room", async ({ storage }) => {
    await storage.append([say("tea?")]);
    const emoji = Array.from({ length: REACTIONS_LIMIT + 1 }, (_, at) => String.fromCodePoint(0x1f34e + at));
    const [first, ...others] = emoji.map((each) => react("bob", each));
    const results = await outcomes(storage, first, together(...others));
    assert.deepEqual(results, [2, 3]);
    assert.deepEqual((await reactions(storage))!.map(({ emoji }) => emoji), emoji.slice(0, REACTIONS_LIMIT));
    const [refused] = await storage.append([react("eve", emoji.at(-1)!)]);
    assert.deepEqual("refusals" in refused && refused.refusals!.map((each) => each?.refused), ["too_many_reactions"]);
    assert.deepEqual(await outcomes(storage, react("eve", emoji[0])), [4]);
    const swap = [react("bob", emoji[3], false), react("bob", emoji.at(-1)!)];
    assert.deepEqual(await outcomes(storage, together(...swap)), [5]);
    assert.deepEqual((await reactions(storage))!.map(({ emoji }) => emoji), emoji.toSpliced(3, 1));
    assert.equal((await reactions(storage))![0].count, 2);
  });

  rule("pages name the first five who reacted, whoever takes theirs back", async ({ storage }) => {
    await storage.append([say("tea?"), say("coffee?")]);
    await storage.append(people.slice(0, 3).map((user) => react(user, "🍵")));
    await storage.append([together(...people.slice(3).map((user) => react(user, "🍵")))]);
    const shown = async () => (await reactions(storage))!.map(({ count, users }) => [count, users.join(" ")]);
    assert.deepEqual(await shown(), [[9, "u9 u8 u7 u6 u5"]]);
    await storage.append([react("u8", "🍵", false)]);
    assert.deepEqual(await shown(), [[8, "u9 u7 u6 u5 u4"]]);
    // In one call, and in one command, also with those who come in it.
    await storage.append([react("u9", "🍵", false), react("u2", "🍵", false), react("u4", "🍵", false)]);
    assert.deepEqual(await shown(), [[5, "u7 u6 u5 u3 u1"]]);
    await storage.append([
      together(react("u8", "🍵"), react("u2", "🍵"), react("u7", "🍵", false), react("u6", "🍵", false)),
      react("u5", "🍵", false),
    ]);
    assert.deepEqual(await shown(), [[4, "u3 u1 u8 u2"]]);
    assert.equal(await reactions(storage, 2), undefined);
  });

  rule("who reacted is listed page by page, and each knows their own", async ({ storage }) => {
    await storage.append([say("tea?"), say("coffee?")]);
    const users = Array.from({ length: PEOPLE_LISTED + 20 }, (_, at) => `user ${String(at).padStart(3, "0")}`);
    await storage.append([together(...users.map((user) => react(user, "🍵")))]);
    await storage.append([
      react("bob", "☕"),
      react("user 069", "☕", true, 2),
      react("bob", "☕️".slice(0, 1) + "\u{1f375}"),
    ]);
    const page = async (after?: string, emoji: string | undefined = "🍵") => {
      const { reactions, more } = await reactionPeople(storage, "r", 1, { emoji, after });
      return [reactions.map(({ count, people }) => [count, people[0]?.user, people.at(-1)?.user]), more];
    };
    assert.deepEqual(await page(), [[[70, "user 000", "user 049"]], true]);
    assert.deepEqual(await page("user 049"), [[[70, "user 050", "user 069"]], false]);
    // Also from where somebody was who has taken theirs back.
    await storage.append([react("user 049", "🍵", false)]);
    assert.deepEqual(await page("user 049"), [[[69, "user 050", "user 069"]], false]);
    const { reactions: all } = await reactionPeople(storage, "r", 1, {});
    assert.deepEqual(all[1], { emoji: "☕", count: 1, people: [{ user: "bob", from: "BOB" }] });
    const { messages } = await storage.history("r", { limit: 9 });
    assert.deepEqual(await reactedIn(storage, "r", messages, "user 069"), { 1: ["🍵"], 2: ["☕"] });
    assert.deepEqual(await reactedIn(storage, "r", messages, "user 000"), { 1: ["🍵"] });
    assert.equal(await reactedIn(storage, "r", messages, "user 049"), undefined);
    await assert.rejects(reactionPeople(storage, "r", 9, {}), { code: "not_found" });
    await assert.rejects(reactionPeople(storage, "r", 1, { emoji: "tea" }), { code: "bad_emoji" });
  });

  rule("reactions are gone with their message, and their places stay", async ({ storage, clock, store }) => {
    await storage.append([say("tea?"), say("coffee?")]);
    await storage.append([together(react("bob", "🍵"), react("eve", "🍵")), react("bob", "☕", true, 2)]);
    await storage.append([remove(1)]);
    assert.deepEqual(await changesIn(storage, 2), [[], ["bob +☕"], "message_deleted"]);
    assert.equal(await reactions(storage), undefined);
    const gone = { seq: 1, prefix: "", limit: 9 };
    assert.deepEqual(await storage.listKeys("r", gone), []);
    assert.deepEqual(await storage.keys("r", [[1, "message_reacted:🍵 bob"]]), [undefined]);
    assert.deepEqual(await reactionPeople(storage, "r", 1, {}), { reactions: [], more: false });
    // Also what came in the same call.
    assert.deepEqual(await outcomes(storage, react("eve", "☕", true, 2), remove(2), react("cat", "☕", true, 2)), [
      6,
      7,
      "not_found",
    ]);
    assert.deepEqual(await changesIn(storage, 3), [[], "message_deleted", [], "message_deleted"]);
    if (!store.lasting) return;
    const other = await store.open({ clock });
    assert.deepEqual(await changesIn(other, 3), [[], "message_deleted", [], "message_deleted"]);
    assert.deepEqual(await other.listKeys("r", { ...gone, seq: 2 }), []);
    await other.close();
  });

  rule("an edit leaves a message's reactions", async ({ storage }) => {
    await storage.append([say("tea?"), react("bob", "🍵")]);
    await storage.append([{ action: "edit_message", room: "r", user: "ann", from: "Ann", target: 1, text: "Tea?" }]);
    assert.deepEqual(await reactions(storage), [{ emoji: "🍵", count: 1, users: ["bob"] }]);
  });

  rule("in a locked room a reaction is only taken back", async ({ storage }) => {
    await storage.append([say("tea?"), react("bob", "🍵"), react("eve", "🍵")]);
    await storage.moderation.change("r", { locked: true });
    const [result] = await storage.append([together(react("bob", "🍵", false), react("cat", "🍵"))]);
    assert.deepEqual(result.refusals!.map((each) => each?.refused), [undefined, "locked"]);
    assert.deepEqual(await changesIn(storage, 3), [["bob -🍵"]]);
    assert.deepEqual(await reactions(storage), [{ emoji: "🍵", count: 1, users: ["eve"] }]);
  });

  rule("the entries of a catch-up, applied to their message, make it what history shows", async ({ storage }) => {
    await storage.append([say("tea?")]);
    await storage.append([
      react("bob", "🍵"),
      react("eve", "☕"),
      together(react("cat", "🍵"), react("bob", "🍵", false)),
    ]);
    const { entries: [message, ...changes] } = await storage.read("r", 0);
    assert.ok(message.action === "receive_message");
    assert.deepEqual(changes.reduce(changed, message), (await storage.history("r", { limit: 1 })).messages[0]);
  });

  rule(
    "many people on several servers react to one message, and all are counted",
    async ({ storage, clock, store }) => {
      if (!store.shared) return;
      const other = await store.open({ clock });
      await storage.append([say("tea?")]);
      const crowd = Array.from({ length: 200 }, (_, at) => react(`u${at}`, "🍵"));
      const batches = Array.from({ length: 20 }, (_, at) => together(...crowd.slice(at * 10, at * 10 + 10)));
      await Promise.all(batches.map((batch, at) => [storage, other][at % 2].append([batch])));
      assert.equal((await reactions(other))![0].count, 200);
      const all = await storage.listKeys("r", { seq: 1, prefix: "message_reacted:🍵 ", limit: 999 });
      assert.equal(all.length, 200);
      const { entries } = await other.read("r", 1);
      const told = entries.flatMap((entry) => entry.action === "message_reacted" ? entry.changes : []);
      assert.equal(new Set(told.map(({ user }) => user)).size, 200);
      await other.close();
    },
  );
}
