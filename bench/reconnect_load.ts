/**
 * Some of the people of `reconnect_bench.ts`, in a process of their own: they stay connected as the page does, with its
 * code for losing a connection, waiting and trying again, and with its outbox. Only its event streams are left out,
 * which it would try after two sockets that did not open. It is told what happens through its input, a line each, and
 * writes what it sees as JSON, a line each.
 */
import type { ErrorFrame, Position, RoomJoined, ServerFrame } from "../chat/protocol.ts";
import { systemClock, Timers } from "../client/clock.ts";
import { type Connection, createConnection } from "../client/connection.ts";
import {
  add,
  disconnected,
  emptyOutbox,
  isTemporary,
  next,
  type Outbox,
  refuse,
  remove,
  retryDelay,
  wakeAt,
} from "../client/outbox.ts";
import { pause } from "./client.ts";
import { Lateness } from "./delays.ts";
import { type Person, rawTransport } from "./raw_transport.ts";

/** What is to be done. */
export interface Crowd {
  port: number;
  people: number;
  /** The numbers of their rooms. */
  rooms: number[];
  /** Messages a second in each room, as long as somebody is connected there. */
  rate: number;
}

/** What is counted of these people. */
export interface Counts {
  /** Tries of all who came back. */
  tries: number;
  said: number;
  /** How often the server refused a message or a join for the time being. It was asked again, and the wait counts. */
  refused: number;
  /** Acknowledged messages that are not in the log; messages that are in it twice; people who lack an entry. */
  lost: number;
  doubled: number;
  lacking: number;
  /** People whom the server could not bring up to date, and who began anew. */
  unrecovered: number;
}

/** What is measured of them, each time that it happens; milliseconds. */
export interface Times {
  /** From the signal until each knew that the connection is lost: late only because they share a processor here. */
  noticed: number[];
  /** From opening the connection that worked until everything had come. */
  ways: number[];
  /** Messages from sending to each who was connected, from the end until the last was back. */
  meanwhile: number[];
  /** Messages that were under way at the end, and how long it took until they had come. */
  again: number[];
  /** How late this process was meanwhile. */
  late: number[];
}

/** What this process tells. `at`: when each had everything, milliseconds since 1970. */
export type Told =
  | { kind: "ready" }
  | { kind: "back"; at: number[] }
  | { kind: "over" } & Counts & Times;

/** People who connect for the first time at once. */
const CONNECTING = 16;
/** Seconds of talk after the last is back. */
const AFTER = 5;
/** How long at most the last answers may take, milliseconds. */
const LAST_ANSWERS = 20_000;

const crowd: Crowd = JSON.parse(Deno.args[0]);
const now = () => performance.timeOrigin + performance.now();
const tell = (told: Told) => console.log(JSON.stringify(told));

type Phase = "before" | "meanwhile" | "after";

/** A message that was said: when it was sent first, and whether its connection was lost before the answer came. */
interface Said {
  at: number;
  phase: Phase;
  wasLost: boolean;
  isAcknowledged: boolean;
}
const said = new Map<string, Said>();
const delays: Record<Phase | "again", number[]> = { before: [], meanwhile: [], after: [], again: [] };
let phase: Phase = "before";
let [unrecovered, refused] = [0, 0];

/** What is looked at of an entry. */
interface Place {
  seq: number;
  id?: string;
}

class Member {
  readonly room: string;
  readonly #person: Person = {};
  readonly #connection: Connection;
  readonly #timers = new Timers<"join" | "send">(systemClock);
  readonly #onJoined: (member: Member) => void;
  #request: string | undefined;
  #position: Position | null = null;
  #outbox: Outbox = emptyOutbox;
  #isConnected = false;
  isJoined = false;
  /** Stands for all entries that came, in order: who has the same has heard the same. */
  digest = 0;
  /** An entry did not follow the one before. */
  hasGap = false;
  /** The messages that came, where somebody keeps them. */
  ids: string[] | undefined;
  /** When the present try began, and how many there were since the connection was lost. */
  triedAt = 0;
  tries = 0;

  constructor(room: string, onJoined: (member: Member) => void) {
    this.room = room;
    this.#onJoined = onJoined;
    this.#connection = createConnection({
      open: rawTransport(crowd.port, this.#person),
      hasSession: true,
      renewSession: () => Promise.resolve({ kind: "granted" }),
      clock: systemClock,
      random: Math.random,
      onFrames: (frames) => frames.forEach((frame) => this.#received(frame)),
      onStatus: ({ kind }) => {
        if (kind === "connecting") {
          this.triedAt = now();
          this.tries++;
        }
        this.#isConnected = kind === "connected";
        if (this.#isConnected) return this.#join();
        if (this.isJoined && phase === "meanwhile") noticed.push(performance.now() - endedAt);
        this.isJoined = false;
        this.#request = undefined;
        this.#timers.cancelAll();
        const underWay = said.get(this.#outbox.inFlight?.id ?? "");
        if (underWay) underWay.wasLost = true;
        this.#outbox = disconnected(this.#outbox);
      },
    });
  }

  start(): void {
    this.#connection.start();
  }

  stop(): void {
    this.#timers.cancelAll();
    this.#connection.stop();
  }

  say(): void {
    const id = crypto.randomUUID();
    const frame = { action: "send_message", room: this.room, text: "and some words that people say", id } as const;
    this.#outbox = add(this.#outbox, frame, Date.now()) ?? this.#outbox;
    this.#send();
  }

  get hasUnsent(): boolean {
    return this.#outbox.items.length > 0;
  }

  get seq(): number {
    return this.#position?.seq ?? 0;
  }

  #join(): void {
    this.#request = crypto.randomUUID();
    const since = this.#position ? { since: this.#position } : {};
    this.#connection.send({ action: "join_room", room: this.room, ...since, id: this.#request });
  }

  #received(frame: ServerFrame): void {
    switch (frame.action) {
      case "room_joined":
        return this.#joined(frame);
      case "error":
        return this.#refused(frame);
      default:
        if ("seq" in frame && "date" in frame) this.#take(frame, true);
    }
  }

  #joined({ epoch, seq, recovered, messages }: RoomJoined): void {
    if (this.#position && recovered) {
      for (const entry of messages) this.#take(entry, false);
    } else if (this.#position) {
      unrecovered++;
    }
    if (this.#position && this.#position.seq !== seq) this.hasGap = true;
    this.#position = { epoch, seq };
    this.isJoined = true;
    this.#onJoined(this);
    this.#send();
  }

  #take(entry: Place, isLive: boolean): void {
    if (!this.#position) return;
    if (entry.seq <= this.#position.seq) return;
    if (entry.seq !== this.#position.seq + 1) this.hasGap = true;
    this.#position = { ...this.#position, seq: entry.seq };
    const { id = "" } = entry;
    for (const letter of id) this.digest = (this.digest * 31 + letter.charCodeAt(0)) | 0;
    this.digest = (this.digest * 31 + entry.seq) | 0;
    this.ids?.push(id);
    const message = said.get(id);
    if (!message) return;
    if (isLive) delays[message.wasLost ? "again" : message.phase].push(now() - message.at);
    const outbox = remove(this.#outbox, id);
    if (outbox === this.#outbox) return;
    message.isAcknowledged = true;
    this.#outbox = outbox;
    this.#send();
  }

  #refused(error: ErrorFrame): void {
    refused++;
    if (error.id === this.#request) {
      if (!isTemporary(error)) throw new Error(error.message);
      this.#timers.set("join", retryDelay(error, Math.random()), () => this.#join());
    } else if (error.id !== undefined) {
      this.#outbox = refuse(this.#outbox, error.id, error, Date.now(), Math.random());
      this.#send();
    }
  }

  #send(): void {
    if (!this.isJoined) return;
    const due = next(this.#outbox, Date.now());
    if (due) {
      const { id } = due.frame;
      if (!said.has(id)) said.set(id, { at: now(), phase, wasLost: false, isAcknowledged: false });
      this.#outbox = due.outbox;
      this.#connection.send(due.frame);
    }
    const wake = wakeAt(this.#outbox);
    if (wake !== null) this.#timers.set("send", Math.max(0, wake - Date.now()), () => this.#send());
  }
}

const members: Member[] = [];
const byRoom = crowd.rooms.map((): Member[] => []);
let away = new Set<Member>();
let backAt: number[] = [];
const ways: number[] = [];
const noticed: number[] = [];
let endedAt = 0;
let tries = 0;
let allBack = () => {};
let joinedFirst = () => {};

function joined(member: Member): void {
  joinedFirst();
  if (!away.delete(member)) return;
  backAt.push(now());
  ways.push(now() - member.triedAt);
  tries += member.tries;
  if (away.size === 0) allBack();
}

async function connectAll(): Promise<void> {
  await new Promise<void>((resolve) => {
    let started = 0;
    let done = 0;
    const start = () => {
      if (started === crowd.people) return;
      const room = started++ % crowd.rooms.length;
      const member = new Member(`room${crowd.rooms[room]}`, joined);
      members.push(member);
      byRoom[room].push(member);
      member.start();
    };
    joinedFirst = () => {
      start();
      if (++done === crowd.people) resolve();
    };
    for (let line = 0; line < CONNECTING; line++) start();
  });
  joinedFirst = () => {};
  for (const [first] of byRoom) first.ids = [];
}

/** Somebody in each room, who is connected, says something so often. */
async function talk(): Promise<void> {
  const from = now();
  for (let done = 0; isTalking;) {
    for (const due = Math.floor((now() - from) / 1_000 * crowd.rate * crowd.rooms.length); done < due; done++) {
      const connected = byRoom[done % crowd.rooms.length].filter(({ isJoined }) => isJoined);
      connected[Math.floor(Math.random() * connected.length)]?.say();
    }
    await pause(2);
  }
}

async function inputLines(): Promise<ReadableStreamDefaultReader<string>> {
  await Promise.resolve();
  return Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
}

let isTalking = true;
const input = await inputLines();
await connectAll();
const lateness = new Lateness();
await lateness.start();
const talking = talk();
tell({ kind: "ready" });
// The server is about to end.
await input.read();
phase = "meanwhile";
endedAt = performance.now();
lateness.reset();
away = new Set(members);
for (const member of members) member.tries = 0;
backAt = [];
await new Promise<void>((resolve) => allBack = resolve);
tell({ kind: "back", at: backAt });
// All others are back too.
await input.read();
const late = lateness.stop();
phase = "after";
await pause(AFTER * 1_000);
isTalking = false;
await talking;
const deadline = performance.now() + LAST_ANSWERS;
const isQuiet = () =>
  members.every(({ hasUnsent }) => !hasUnsent) &&
  byRoom.every(([first, ...others]) => others.every(({ seq }) => seq === first.seq));
while (!isQuiet() && performance.now() < deadline) await pause(100);

let [lost, doubled, lacking] = [0, 0, 0];
const kept = new Set<string>();
for (const [first, ...others] of byRoom) {
  for (const id of first.ids!) {
    if (kept.has(id)) doubled++;
    kept.add(id);
  }
  for (const member of [first, ...others]) {
    if (member.hasGap || member.seq !== first.seq || member.digest !== first.digest) lacking++;
  }
}
for (const [id, { isAcknowledged }] of said) if (isAcknowledged && !kept.has(id)) lost++;
tell({
  kind: "over",
  noticed,
  ways,
  tries,
  meanwhile: delays.meanwhile,
  again: delays.again,
  said: said.size,
  refused,
  lost,
  doubled,
  lacking,
  unrecovered,
  late,
});
for (const member of members) member.stop();
await input.cancel();
Deno.exit(0);
