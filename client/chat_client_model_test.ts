import assert from "node:assert/strict";
import fc from "fast-check";
import { changed, isMessage } from "../chat/entries/kinds.ts";
import {
  type ClientFrame,
  type Entry,
  type HistoryPage,
  type MessageReacted,
  PAGE_SIZE_LIMIT,
  type Reacted,
  type Reaction,
  REACTION_USERS,
  type ReactionChange,
  type ReceiveMessage,
  type RoomJoined,
  type ServerFrame,
} from "../chat/protocol.ts";
import { memoryStorage } from "../testing/browser/memory_storage.ts";
import { joined, me, message, welcome } from "../testing/clients/frames.ts";
import { FakeClock } from "../testing/clock.ts";
import { ChatClient, type ChatClientOptions } from "./chat_client.ts";
import type { PageQuery } from "./history_loader.ts";
import { allRooms } from "./client_state.ts";
import type { HeldMessage, RoomState } from "./room/room_state.ts";

type Handlers = Parameters<ChatClientOptions["connect"]>[0];

const ROOMS = ["one", "two", "three"] as const;
type RoomName = (typeof ROOMS)[number];
/** Most entries of the made-up server's resumes, and messages of its pages: small, so that all happens often. */
const RESUME = 6;
const PAGE = 5;
const EMOJI = ["👍", "❤️", "🎉"];

/** A room's log as a server keeps it. A message's `text` tells how often it was edited. */
class Log {
  epoch = 1;
  entries: Entry[] = [];

  constructor(readonly room: RoomName) {}

  get head(): number {
    return this.entries.length;
  }

  /** @param answered which of the messages it answers, counted from the newest; null: none */
  say(answered: number | null = null): Entry {
    const messages = this.shown().filter(({ deleted }) => !deleted);
    const parent = answered === null ? undefined : messages.at(-1 - answered)?.seq;
    const reply = parent === undefined ? {} : { reply_to: parent };
    return this.#add(message(this.head + 1, { room: this.room, text: `${this.epoch}.${this.head + 1}`, ...reply }));
  }

  /** An edit, a deletion, reactions, or an entry of a kind that nobody knows. */
  change(kind: "edit" | "delete" | "react" | "unknown", which: number): Entry | null {
    const messages = this.shown().filter(({ deleted }) => !deleted);
    if (messages.length === 0) return null;
    const target = messages[messages.length - 1 - which % messages.length].seq;
    const seq = this.head + 1;
    const about = { room: this.room, seq, target, user: "u2", date: seq };
    if (kind === "edit") return this.#add({ action: "message_edited", ...about, text: `edited by ${seq}` });
    if (kind === "react") return this.#add(this.#reactions(target, which));
    const action = kind === "delete" ? "message_deleted" : "message_of_tomorrow";
    return this.#add({ ...about, action } as unknown as Entry);
  }

  /** Some people give reactions, or take them back. */
  #reactions(target: number, which: number): MessageReacted {
    const seq = this.head + 1;
    const given = givenBy(this.entries, target);
    const changes: ReactionChange[] = [];
    for (let at = 0; at <= which % 4; at++) {
      const [emoji, user] = [EMOJI[(which + at) % EMOJI.length], `u${(which * 7 + at + seq) % 9}`];
      const on = !given.get(emoji)?.includes(user);
      if (changes.some((one) => one.emoji === emoji && one.user === user)) continue;
      changes.push({ user, from: user, emoji, on });
    }
    return { action: "message_reacted", room: this.room, seq, target, changes, date: seq };
  }

  #add(entry: Entry): Entry {
    this.entries.push(entry);
    return entry;
  }

  /** All messages in their state at a `seq`. */
  shown(seq = this.head): ReceiveMessage[] {
    const messages = new Map<number, ReceiveMessage>();
    const entries = this.entries.slice(0, seq);
    for (const entry of entries) {
      if (isMessage(entry)) messages.set(entry.seq, entry);
      else if ("target" in entry && entry.action !== "message_reacted") {
        const shown = messages.get(entry.target);
        if (shown) messages.set(entry.target, changed(shown, entry));
      }
    }
    return [...messages.values()].map((message) => {
      const replies = this.#answersTo(messages, message.seq).filter(({ deleted }) => !deleted).length;
      const reactions = [...givenBy(entries, message.seq)].map(([emoji, users]): Reaction => (
        { emoji, count: users.length, users: users.slice(0, REACTION_USERS) }
      ));
      const isReacted = reactions.length > 0 && !message.deleted;
      return { ...message, ...isReacted && { reactions }, ...replies > 0 && { replies } };
    });
  }

  /** What the client's own person has given to messages. */
  reacted(seq = this.head): Reacted {
    const entries = this.entries.slice(0, seq);
    const own = this.shown(seq).filter(({ reactions }) => reactions).map(({ seq }) => {
      const given = [...givenBy(entries, seq)].filter(([, users]) => users.includes(me.user)).map(([emoji]) => emoji);
      return [seq, given] as const;
    });
    return Object.fromEntries(own.filter(([, given]) => given.length > 0));
  }

  #answersTo(messages: Map<number, ReceiveMessage>, parent: number): ReceiveMessage[] {
    return [...messages.values()].filter(({ reply_to }) => reply_to === parent);
  }

  /** Answers to a message that were deleted up to a `seq`: a client that has none of them can't count them off. */
  lostAnswers(parent: number, seq = this.head): number {
    return this.shown(seq).filter(({ reply_to, deleted }) => reply_to === parent && deleted).length;
  }

  page(query: Partial<Record<"before" | "after" | "limit" | "repliesTo", number>>): HistoryPage {
    const limit = Math.min(query.limit ?? PAGE, PAGE);
    const { before = Infinity, after, repliesTo } = query;
    const asked = (message: ReceiveMessage) =>
      repliesTo === undefined || message.reply_to === repliesTo && !message.deleted;
    const all = this.shown().filter((message) => message.seq < before && message.seq > (after ?? 0) && asked(message));
    const messages = after === undefined ? all.slice(-limit) : all.slice(0, limit);
    return {
      epoch: `e${this.epoch}`,
      seq: this.head,
      messages,
      more: all.length > messages.length,
      reacted: this.reacted(),
    };
  }

  join(since?: { epoch: string; seq: number }): RoomJoined {
    const frame = joined({ room: this.room, epoch: `e${this.epoch}`, seq: this.head });
    const missed = since?.epoch === frame.epoch && since.seq <= this.head ? this.head - since.seq : Infinity;
    if (missed <= RESUME) {
      const now = new Map(this.shown().map((message) => [message.seq, message]));
      const messages = this.entries.slice(this.head - missed).map((entry) =>
        now.get(entry.seq)?.deleted ? withoutReplies(now.get(entry.seq)!) : entry
      );
      return { ...frame, recovered: true, messages, more: false };
    }
    const { messages, more, reacted } = this.page({});
    return { ...frame, messages, more, reacted };
  }
}

/**
 * Who has given what to a message, by emoji and in the order in which it was given. An emoji that everybody has taken
 * back comes last when it is given again. It is counted here once more, because the client counts by the rulebook.
 */
function givenBy(entries: readonly Entry[], target: number): Map<string, string[]> {
  const given = new Map<string, string[]>();
  for (const entry of entries) {
    if (entry.action !== "message_reacted" || entry.target !== target) continue;
    for (const { emoji, user, on } of entry.changes) {
      const users = (given.get(emoji) ?? []).filter((other) => other !== user);
      given.set(emoji, on ? [...users, user] : users);
      if (given.get(emoji)!.length === 0) given.delete(emoji);
    }
  }
  return given;
}

function withoutReplies({ replies: _, ...message }: ReceiveMessage): ReceiveMessage {
  return message;
}

interface Request {
  room: RoomName;
  query: PageQuery;
  /** What the server read when the request came. */
  page: HistoryPage;
  answer: PromiseWithResolvers<HistoryPage>;
}

/** A server with its client, and a network between them that is late. */
class World {
  readonly logs = new Map(ROOMS.map((room) => [room, new Log(room)]));
  readonly client: ChatClient;
  readonly #clock = new FakeClock();
  #handlers: Handlers | undefined;
  #isConnected = false;
  readonly #members = new Set<RoomName>();
  /** On its way to the client. */
  #wire: ServerFrame[] = [];
  #requests: Request[] = [];
  readonly #arrived = new Set<Entry>();
  /** Rooms whose messages could not be read again: until the next try they may be out of date. */
  readonly #outdated = new Set<RoomName>();

  constructor(rooms: number) {
    let ids = 0;
    this.client = new ChatClient({
      connect: (handlers) => {
        this.#handlers = handlers;
        return { start() {}, stop() {}, wake() {}, retry() {}, send: (frame) => this.#serve(frame) };
      },
      fetchHistory: (room, query) => {
        const answer = Promise.withResolvers<HistoryPage>();
        const name = room as RoomName;
        if (query.limit === PAGE_SIZE_LIMIT) this.#outdated.delete(name);
        this.#requests.push({ room: name, query, page: this.log(name).page(query), answer });
        return answer.promise;
      },
      outboxStorage: memoryStorage(),
      nameStorage: memoryStorage(),
      clock: this.#clock,
      random: () => 0,
      newId: () => `id${++ids}`,
      onChange: (_, arrived) => this.#note(arrived),
      onNameLost() {},
      onReactionRefused() {},
    });
    // Two are kept free by the client.
    this.#limits = { ...welcome.limits, rooms: rooms + 2 };
    this.client.enter("one");
  }
  readonly #limits: typeof welcome.limits;

  log(room: RoomName): Log {
    return this.logs.get(room)!;
  }

  connect(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#handlers!.onStatus({ kind: "connected" });
    this.#handlers!.onFrames([{ ...welcome, limits: this.#limits }]);
  }

  lose(): void {
    this.#isConnected = false;
    this.#members.clear();
    this.#wire = [];
    this.#handlers!.onStatus({ kind: "waiting", until: 0, refusal: null });
  }

  #serve(frame: ClientFrame): void {
    if (!("room" in frame)) return;
    const room = frame.room as RoomName;
    if (frame.action === "leave_room") {
      for (const entry of this.#arrived) if (entry.room === room) this.#arrived.delete(entry);
    }
    if (!this.#isConnected) return;
    if (frame.action === "join_room" && this.#refusals > 0) {
      this.#refusals--;
      this.#wire.push({ action: "error", code: "rate_limited", message: "Wait.", retry_after: 1, id: frame.id });
    } else if (frame.action === "join_room") {
      this.#members.add(room);
      this.#wire.push({ ...this.log(room).join(frame.since), id: frame.id });
    } else if (frame.action === "leave_room") {
      this.#members.delete(room);
      this.#wire.push({ action: "room_left", room });
    }
  }

  tell(entry: Entry | null): void {
    if (entry && this.#members.has(entry.room as RoomName)) this.#wire.push(entry);
  }

  /** The next request to join is refused. */
  refuse(): void {
    this.#refusals++;
  }
  #refusals = 0;

  /** A frame that the network has lost: a proxy, or a bug of the server. */
  dropOne(): void {
    const index = this.#wire.findIndex((frame) => "seq" in frame && frame.action !== "room_joined");
    if (index >= 0) this.#wire.splice(index, 1);
  }

  empty(room: RoomName): void {
    const log = this.log(room);
    log.epoch++;
    log.entries = [];
    if (this.#members.has(room)) this.#wire.push(log.join());
  }

  deliver(count: number): void {
    if (this.#isConnected) this.#handlers!.onFrames(this.#wire.splice(0, count));
  }

  async answer(which: number, how: "now" | "then" | "fails"): Promise<void> {
    if (this.#requests.length === 0) return;
    const at = which % this.#requests.length;
    const [{ room, query, page, answer }] = this.#requests.splice(at, 1);
    const later = this.#requests.slice(at);
    if (how === "fails") answer.reject(new Error("offline"));
    else answer.resolve(how === "then" ? page : this.log(room).page(query));
    await turns();
    // An earlier one may be on its way still: a join that could not resume has made it useless.
    const isLast = !this.#isRefreshing(room, later);
    if (how === "fails" && query.limit === PAGE_SIZE_LIMIT && isLast) this.#outdated.add(room);
  }

  /** Whether its messages are read again: until then they may be out of date. */
  #isRefreshing(name: RoomName, requests: readonly Request[] = this.#requests): boolean {
    return requests.some(({ room, query }) => room === name && query.limit === PAGE_SIZE_LIMIT);
  }

  /** Everything arrives. */
  async rest(): Promise<void> {
    for (let round = 0; round < 200 && this.#wire.length + this.#requests.length > 0; round++) {
      this.deliver(Infinity);
      await this.answer(0, "now");
    }
    assert.equal(this.#wire.length + this.#requests.length, 0, "the client comes to rest");
  }

  #note(arrived: readonly Entry[]): void {
    for (const entry of arrived) {
      assert.ok(!this.#arrived.has(entry), `${entry.room} ${entry.seq} is new once`);
      this.#arrived.add(entry);
    }
  }

  check(): void {
    for (const room of allRooms(this.client.state)) {
      if (room.name !== "") this.#checkRoom(room, this.log(room.name as RoomName));
    }
  }

  #checkRoom(room: RoomState, log: Log): void {
    if (!room.position || room.position.epoch !== `e${log.epoch}`) return;
    const { seq } = room.position;
    this.#checkApart(room, log);
    const then = log.shown(seq);
    for (const { messages, more } of room.newest ? [room, room.newest] : [room]) {
      const [first, last] = [messages[0]?.seq ?? Infinity, messages.at(-1)?.seq ?? 0];
      const isNewest = (room.newest?.messages ?? room.messages) === messages;
      const from = more ? (messages.length > 0 ? first : seq + 1) : 0;
      const known = then.filter((message) => message.seq >= from && (isNewest || message.seq <= last));
      const later = messages.filter((message) => message.seq > seq);
      assert.deepEqual(
        messages.map(({ seq }) => seq),
        [...known, ...later].map(({ seq }) => seq),
        `${room.name}: no hole, ${isNewest ? "newest" : "reading"}`,
      );
      for (const message of known) {
        const shown = messages.find(({ seq }) => seq === message.seq)!;
        if (this.#isRefreshing(log.room) || this.#outdated.has(log.room)) continue;
        this.#checkCount(room, shown, log);
        const { seq: of } = message;
        // A page may be newer than the socket.
        const until = room.ahead.get(of) ?? seq;
        const expected = log.shown(until).find((other) => other.seq === of)!;
        assert.deepEqual(comparable(shown), comparable({ ...expected, reacted: log.reacted(until)[of] }), room.name);
      }
    }
  }

  /** Each answer counts once, whether it came with a page or live. */
  #checkCount({ position, ahead }: RoomState, { seq, replies = 0 }: ReceiveMessage, log: Log): void {
    const until = Math.max(position!.seq, ahead.get(seq) ?? 0);
    const expected = log.shown(until).find((message) => message.seq === seq)?.replies ?? 0;
    const isRight = replies >= expected && replies <= expected + log.lostAnswers(seq, until);
    assert.ok(isRight, `${log.room}: ${seq} has ${expected} answers, not ${replies}`);
  }

  /** What is held apart: the messages that others answer, and the answers of threads. */
  #checkApart({ position, ahead, quoted, threads, name }: RoomState, log: Log): void {
    const [then, now] = [log.shown(position!.seq), log.shown()].map((all) => new Map(all.map((one) => [one.seq, one])));
    const check = (shown: ReceiveMessage) => {
      const { seq } = shown;
      const until = ahead.get(seq) ?? position!.seq;
      const expected = { ...log.shown(until).find((other) => other.seq === seq)!, reacted: log.reacted(until)[seq] };
      assert.deepEqual(comparable(shown), comparable(expected), `${name}: ${seq} apart`);
    };
    for (const message of quoted.values()) if (message) check(message);
    for (const [parent, { messages, more, request }] of threads) {
      messages.forEach(check);
      if (more || request !== "idle") continue;
      const answers = [...then.values()].filter(({ reply_to, deleted }) => reply_to === parent && !deleted);
      const shown = messages.filter(({ deleted }) => !deleted).map(({ seq }) => seq);
      // A page that is ahead has less of what was deleted.
      const gone = answers.filter(({ seq }) => now.get(seq)?.deleted).map(({ seq }) => seq);
      const expected = answers.map(({ seq }) => seq).filter((seq) => shown.includes(seq) || !gone.includes(seq));
      assert.deepEqual(shown, expected, `${name}: the thread of ${parent}`);
    }
  }

  /** After everything has come, the client knows what the server does. */
  async checkEnd(): Promise<void> {
    this.connect();
    await this.rest();
    this.#refusals = 0;
    for (let pause = 0; pause < 3; pause++) {
      await this.#clock.advance(60_000);
      await this.rest();
    }
    // Only another one shows that the last was lost.
    for (const log of this.logs.values()) this.tell(log.say());
    await this.rest();
    for (const room of allRooms(this.client.state)) {
      const log = this.log(room.name as RoomName);
      assert.deepEqual(room.position, { epoch: `e${log.epoch}`, seq: log.head }, `${room.name} is up to date`);
      assert.equal(room.joined, true);
      assert.deepEqual([room.older === "loading", room.newer === "loading"], [false, false], "nothing loads for ever");
    }
    this.check();
    const { client } = this;
    for (let page = 0; client.state.room.newest && page < 300; page++) {
      client.loadNewer();
      await this.rest();
    }
    assert.equal(client.state.room.newest, null, "the reader comes to the newest messages");
    for (let page = 0; client.state.room.more && page < 300; page++) {
      client.loadOlder();
      await this.rest();
    }
    const { room } = client.state;
    const log = this.log(room.name as RoomName);
    const expected = log.shown().map((message) => ({ ...message, reacted: log.reacted()[message.seq] }));
    assert.deepEqual(room.messages.map(comparable), expected.map(comparable), "the whole room is there");
    const isSure = ({ seq }: ReceiveMessage) => log.lostAnswers(seq) === 0;
    const replies = (messages: readonly ReceiveMessage[]) => messages.filter(isSure).map(({ replies = 0 }) => replies);
    assert.deepEqual(replies(room.messages), replies(expected), "all answers count");
  }
}

/**
 * The first users are left out: who follows when one of them takes a reaction back, a client does not know. Answers have
 * a check of their own.
 */
function comparable({ reactions = [], reacted = [], replies: _, ...message }: HeldMessage): unknown {
  return {
    ...message,
    reactions: reactions.map(({ emoji, count }) => `${emoji} ${count}`),
    reacted: [...reacted].sort(),
  };
}

/** All that only waits for promises that are settled. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
}

const room = fc.constantFrom(...ROOMS);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      room,
      count: fc.integer({ min: 1, max: 9 }),
      answered: fc.option(fc.nat(12)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("quote", "thread"), seq: fc.integer({ min: 1, max: 15 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      room,
      kind: fc.constantFrom("edit", "delete", "react", "react", "unknown"),
      which: fc.nat(40),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("deliver" as const), count: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      which: fc.nat(5),
      how: fc.constantFrom("now", "then", "fails"),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("older", "newer") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("around" as const), seq: fc.integer({ min: -30, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stay" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("at newest" as const), value: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("enter", "leave"), room }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("watch" as const), room, back: fc.option(fc.nat(12)) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("connect", "lose", "drop", "refuse") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("empty" as const), room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("away" as const), room, which: fc.nat(40) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function run(world: World, step: Step): Promise<void> {
  const { client } = world;
  switch (step.do) {
    case "say":
      for (let count = 0; count < step.count; count++) world.tell(world.log(step.room).say(step.answered));
      break;
    case "quote":
      return client.loadQuoted(client.state.room.name, step.seq);
    case "thread":
      return void client.loadAnswers(step.seq);
    case "change":
      return world.tell(world.log(step.room).change(step.kind as "edit", step.which));
    case "deliver":
      return world.deliver(step.count);
    case "answer":
      return await world.answer(step.which, step.how as "now");
    case "older":
      return void client.loadOlder();
    case "newer":
      return void client.loadNewer();
    case "around":
      return void client.loadAround(step.seq);
    case "stay":
      return client.stay();
    case "at newest":
      return client.setAtNewest(step.value);
    case "enter":
      return client.enter(step.room);
    case "leave":
      return client.leave(step.room);
    case "watch": {
      const { epoch, head } = world.log(step.room);
      const since = step.back === null ? null : { epoch: `e${epoch}`, seq: Math.max(0, head - step.back) };
      return void client.watch(step.room, since);
    }
    case "connect":
      return world.connect();
    case "lose":
      return world.lose();
    case "drop":
      return world.dropOne();
    case "refuse":
      return world.refuse();
    case "empty":
      return world.empty(step.room);
    case "away": // for more than a resume brings, while the reader is among older messages
      client.setAtNewest(false);
      world.lose();
      for (let count = 0; count <= RESUME; count++) world.log(step.room).say();
      world.log(step.room).change("react", step.which);
      world.connect();
      return world.deliver(4);
  }
}

Deno.test("whatever comes, in whatever order, a room's messages are the server's: each once, in order, without holes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(step, { maxLength: 100, size: "max" }),
      async (rooms, steps) => {
        const world = new World(rooms);
        world.connect();
        for (const next of steps) {
          await run(world, next);
          world.check();
        }
        await world.checkEnd();
      },
    ),
    { numRuns: 600 },
  );
});
