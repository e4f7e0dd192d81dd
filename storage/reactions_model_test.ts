/**
 * Random answers, reactions and deletions against a plain model, on every store: whatever is asked for, and in whatever
 * batches, each outcome and each page is the model's.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { reaction } from "../chat/entries/reaction.ts";
import { REACTION_USERS } from "../chat/protocol.ts";
import { reactedIn } from "../chat/reading/reactions.ts";
import type { AppendResult } from "../chat/rulebook.ts";
import type { Command } from "../chat/storage.ts";
import { engines } from "../testing/storage/engines.ts";

const PEOPLE = ["u1", "u2", "u3", "u4", "u5", "u6", "u7"];
const EMOJI = ["🍵", "☕"];
/** Places that commands are about: few, so that they meet. */
const PLACES = 9;

type React = Extract<Command, { action: "react" }>;
type Shown = { replyTo?: number; isDeleted: boolean; given: Map<string, string[]> };

/** The room as the contract describes it, without a thought for speed. */
class Model {
  readonly messages = new Map<number, Shown>();
  head = 0;

  /** @returns what each part of the command is told: a new entry's place, nothing, or why not */
  append(command: Command | React[]): (number | string | undefined)[] {
    if (Array.isArray(command)) return this.#react(command);
    if (command.action === "send_message") {
      const { reply_to } = command;
      if (reply_to !== undefined && !this.#isThere(reply_to)) return ["not_found"];
      this.messages.set(++this.head, { replyTo: reply_to, isDeleted: false, given: new Map() });
      return [this.head];
    }
    const { target } = command as { target: number };
    if (!this.#isThere(target)) return ["not_found"];
    Object.assign(this.messages.get(target)!, { isDeleted: true, given: new Map() });
    return [++this.head];
  }

  get page() {
    return [...this.messages].map(([seq, { replyTo, isDeleted, given }]) => ({
      seq,
      replyTo,
      isDeleted,
      replies: [...this.messages.values()].filter((other) => other.replyTo === seq && !other.isDeleted).length,
      reactions: [...given].map(([emoji, users]) => ({
        emoji,
        count: users.length,
        users: users.slice(0, REACTION_USERS),
      })),
    }));
  }

  #isThere(seq: number): boolean {
    return this.messages.get(seq)?.isDeleted === false;
  }

  #react(commands: React[]): (number | string | undefined)[] {
    const { target } = commands[0];
    if (!this.#isThere(target)) return commands.map(() => "not_found");
    const { given } = this.messages.get(target)!;
    let changes = 0;
    for (const { user, emoji, on } of commands) {
      const users = given.get(emoji) ?? [];
      if (users.includes(user) === on) continue;
      changes++;
      const next = on ? [...users, user] : users.filter((other) => other !== user);
      if (next.length > 0) given.set(emoji, next);
      else given.delete(emoji);
    }
    if (changes > 0) this.head++;
    return commands.map(() => changes > 0 ? this.head : undefined);
  }
}

const place = fc.integer({ min: 1, max: PLACES });
const user = fc.constantFrom(...PEOPLE);
const command: fc.Arbitrary<Command | React[]> = fc.oneof(
  { weight: 2, arbitrary: fc.option(place, { nil: undefined }).map(say) },
  { weight: 1, arbitrary: place.map(remove) },
  {
    weight: 6,
    arbitrary: fc.tuple(place, fc.array(fc.tuple(user, fc.constantFrom(...EMOJI), fc.boolean()), { minLength: 1 }))
      .map(([target, changes]) => changes.map(([user, emoji, on]) => react(user, emoji, on, target))),
  },
);

function say(reply_to?: number): Command {
  return { action: "send_message", room: "r", user: "ann", from: "Ann", text: "x", ...(reply_to && { reply_to }) };
}
function remove(target: number): Command {
  return { action: "delete_message", room: "r", user: "ann", from: "Ann", target };
}
function react(user: string, emoji: string, on: boolean, target: number): React {
  return { action: "react", room: "r", user, from: user, target, emoji, on };
}

for (const { name, rule } of engines) {
  rule("random answers, reactions and deletions are the model's", async ({ storage, clock, store }) => {
    const batches = fc.array(fc.array(command, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
    const other = store.shared ? await store.open({ clock }) : storage;
    let rooms = 0;
    await fc.assert(
      fc.asyncProperty(batches, async (batches) => {
        const room = `r${rooms++}`;
        const model = new Model();
        for (const [at, batch] of [[say(), say(1), say(1)], ...batches].entries()) {
          const expected = batch.map((each) => model.append(each));
          const commands = batch.map((each) => Array.isArray(each) ? reaction.merge!(each) as Command : each);
          const results = await [storage, other][at % 2].append(commands.map((each) => ({ ...each, room })));
          assert.deepEqual(results.map((result, each) => outcomes(result, expected[each].length)), expected);
        }
        const { messages, seq } = await other.history(room, { limit: 200 });
        const shown = messages.map(({ seq, reply_to, deleted = false, replies = 0, reactions = [] }) => (
          { seq, replyTo: reply_to, isDeleted: deleted, replies, reactions }
        ));
        assert.deepEqual({ shown, seq }, { shown: model.page, seq: model.head });
        for (const user of PEOPLE) {
          const own = [...model.messages].flatMap(([seq, { given }]) => {
            const emoji = [...given].filter(([, users]) => users.includes(user)).map(([emoji]) => emoji);
            return emoji.length === 0 ? [] : [[seq, emoji]];
          });
          assert.deepEqual(await reactedIn(other, room, messages, user) ?? {}, Object.fromEntries(own));
        }
      }),
      { numRuns: name === "memory" ? 200 : 25 },
    );
    if (other !== storage) await other.close();
  });
}

function outcomes(result: AppendResult, parts: number): (number | string | undefined)[] {
  const all = "entry" in result ? result.entry.seq : result.refused;
  return Array.from({ length: parts }, (_, at) => result.refusals?.[at]?.refused ?? all);
}
