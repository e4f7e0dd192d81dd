/**
 * The probe of `reconnect_bench.ts`: a speaker and a listener in some of its rooms, in a process that has little to do.
 * The people themselves are too busy while thousands of them come back: what they measure is their own delay as well.
 * It is told what happens through its input, a line each, and writes what it saw as JSON.
 */
import type { ServerFrame } from "../chat/protocol.ts";
import { systemClock } from "../client/clock.ts";
import { type Connection, createConnection } from "../client/connection.ts";
import { pause } from "./client.ts";
import { type Delays, Lateness, summed } from "./delays.ts";
import { rawTransport } from "./raw_transport.ts";

/** What is to be done. */
export interface Probing {
  port: number;
  rooms: number;
  /** Messages a second in each room. */
  rate: number;
}

/** What this process tells. */
export type Probed =
  | { kind: "ready" }
  | {
    kind: "over";
    /** From saying to hearing, before the end and from the restart until the people were back. */
    before: Delays;
    meanwhile: Delays;
    /** How much was said and not heard while all of the probe was connected. */
    unheard: number;
    /** Milliseconds from the restart until the slowest of them was said. */
    slowestAt: number;
    /** How late this process itself was. */
    late: Delays;
  };

/** Milliseconds after which it tries again: somebody has to be there from the beginning. */
const RETRY = 20;
/** How long at most the last messages may take, milliseconds. */
const LAST_MESSAGES = 5_000;

const { port, rooms, rate }: Probing = JSON.parse(Deno.args[0]);
const tell = (told: Probed) => console.log(JSON.stringify(told));
type Phase = "before" | "ended" | "meanwhile" | "after";
let phase: Phase = "before";
interface Said {
  at: number;
  room: string;
  phase: Phase;
}
/** What was said and not heard yet, by its key. */
const waiting = new Map<string, Said>();
const heard: { said: Said; delay: number }[] = [];

/** One who stays in a room, and comes back at once. */
class Visitor {
  readonly room: string;
  readonly #connection: Connection;
  readonly #onEntry: ((id: string) => void) | undefined;
  isJoined = false;

  constructor(room: string, onEntry?: (id: string) => void) {
    this.room = room;
    this.#onEntry = onEntry;
    this.#connection = createConnection({
      open: rawTransport(port, {}),
      hasSession: true,
      renewSession: () => Promise.resolve({ kind: "granted" }),
      clock: systemClock,
      random: Math.random,
      onFrames: (frames) => frames.forEach((frame) => this.#received(frame)),
      onStatus: ({ kind }) => {
        if (this.isJoined) this.#lost();
        if (kind === "connected") this.#connection.send({ action: "join_room", room });
        if (kind === "waiting") setTimeout(() => this.#connection.wake(), RETRY);
      },
    });
    this.#connection.start();
  }

  say(id: string): void {
    this.#connection.send({ action: "send_message", room: this.room, text: "and some words that people say", id });
  }

  /** The server is there again: whoever has not noticed yet that it was gone tries whether the connection works. */
  wake(): void {
    this.#connection.wake();
  }

  stop(): void {
    this.#connection.stop();
  }

  #lost(): void {
    this.isJoined = false;
    // Nobody hears what was under way in this room.
    for (const [id, { room }] of waiting) if (room === this.room) waiting.delete(id);
  }

  #received(frame: ServerFrame): void {
    if (frame.action === "room_joined") this.isJoined = true;
    else if (frame.action === "receive_message" && frame.id !== undefined) this.#onEntry?.(frame.id);
  }
}

const pairs = Array.from({ length: rooms }, (_, at) => {
  const listener = new Visitor(`room${at}`, (id) => {
    const said = waiting.get(id);
    if (waiting.delete(id)) heard.push({ said: said!, delay: performance.now() - said!.at });
  });
  return { speaker: new Visitor(`room${at}`), listener };
});

/** Each in its turn, so that what is said is spread evenly over the time. Nobody waits for an answer before going on. */
async function talk(): Promise<void> {
  const from = performance.now();
  for (let done = 0; phase !== "after";) {
    for (const due = Math.floor((performance.now() - from) / 1_000 * rate * rooms); done < due; done++) {
      const { speaker, listener } = pairs[done % rooms];
      if (!speaker.isJoined || !listener.isJoined) continue;
      const id = crypto.randomUUID();
      waiting.set(id, { at: performance.now(), room: speaker.room, phase });
      speaker.say(id);
    }
    await pause(1);
  }
}

const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
while (pairs.some(({ speaker, listener }) => !speaker.isJoined || !listener.isJoined)) await pause(10);
tell({ kind: "ready" });
const lateness = new Lateness();
await lateness.start();
const talking = talk();
// The server is about to end.
await input.read();
phase = "ended";
// It listens again.
await input.read();
phase = "meanwhile";
const restartedAt = performance.now();
lateness.reset();
for (const { speaker, listener } of pairs) for (const visitor of [speaker, listener]) visitor.wake();
// The people are back.
await input.read();
phase = "after";
const late = lateness.stop();
await talking;
const deadline = performance.now() + LAST_MESSAGES;
while (waiting.size > 0 && performance.now() < deadline) await pause(10);
const meanwhile = heard.filter(({ said }) => said.phase === "meanwhile");
const slowest = meanwhile.toSorted((one, other) => other.delay - one.delay)[0];
tell({
  kind: "over",
  before: summed(heard.filter(({ said }) => said.phase === "before").map(({ delay }) => delay)),
  meanwhile: summed(meanwhile.map(({ delay }) => delay)),
  unheard: waiting.size,
  slowestAt: slowest ? slowest.said.at - restartedAt : NaN,
  late: summed(late),
});
for (const { speaker, listener } of pairs) {
  speaker.stop();
  listener.stop();
}
await input.cancel();
Deno.exit(0);
