import type { Clock } from "../../chat/clock.ts";
import type { ErrorFrame } from "../../chat/protocol.ts";
import { Line, type Unopened } from "./line.ts";
import { Tally } from "./tally.ts";
import type { Visitor } from "./visitor.ts";

/**
 * Milliseconds between two canary messages, unless there is no time for that: below what any server lets a person say.
 */
const INTERVAL = 500;
/** Every so manieth message is sent twice under the same id, as after a lost acknowledgement. */
const REPEAT_EVERY = 5;
/** Milliseconds between two looks whether the last ones have come. */
const POLL = 20;
/** How many messages the reader misses in its break. */
const MISSED = 3;

export interface Flight {
  tally: Tally;
  /** Whether what was missed in a break came as a whole. */
  recovered: boolean;
  /** What kept it from going on. */
  trouble?: Unopened | { cut: { code: number; after: number } } | { refused: ErrorFrame } | { silent: true };
}

/**
 * Has one client say canary messages and another one hear them, with a break in the middle, while a third hears
 * nothing at all, as most people do most of the time.
 */
export async function fly(visitor: Visitor, room: string, seconds: number): Promise<Flight> {
  const { clock, timeout } = visitor;
  const flight: Flight = { tally: new Tally(), recovered: false };
  const { tally } = flight;
  const lines: Line[] = [];
  const open = async (rooms: string) => {
    const line = await Line.open(visitor, rooms);
    if (line instanceof Line) lines.push(line);
    else flight.trouble = line;
    return line instanceof Line ? line : undefined;
  };
  try {
    const [writer, idler] = [await open(room), await open(`${room}-quiet`)];
    let reader = await open(room);
    if (!writer || !idler || !reader) return flight;
    const joined = await reader.until("room_joined");
    if (!joined) return { ...flight, trouble: whySilent(reader) };
    const listen = (line: Line) =>
      line.onFrame = (frame) => {
        if (frame.action === "receive_message") tally.hear(frame, clock.monotonic());
      };
    listen(reader);
    writer.onFrame = (frame) => {
      if (frame.action === "error") flight.trouble = { refused: frame };
    };

    const count = Math.max(2 * MISSED, Math.round(seconds * 1000 / INTERVAL));
    const interval = seconds * 1000 / count;
    const breakAt = Math.floor(count / 2);
    for (let at = 0; at < count && !trouble(); at++) {
      if (at === breakAt) await reader.hangUp();
      const id = `canary ${at + 1}`;
      const canary = { action: "send_message", room, text: `Canary ${at + 1} of ${count}`, id } as const;
      tally.send(id, clock.monotonic());
      writer.send(canary);
      if (at % REPEAT_EVERY === 0) writer.send(canary);
      await pause(clock, interval);
      if (at === breakAt + MISSED - 1) {
        reader = await open("");
        if (!reader) break;
        reader.send({ action: "join_room", room, since: { epoch: joined.epoch, seq: tally.last } });
        const back = await reader.until("room_joined");
        if (!back) flight.trouble ??= whySilent(reader);
        flight.recovered = back?.recovered ?? false;
        for (const entry of back?.messages ?? []) tally.catchUp(entry);
        for (const frame of reader.frames) if (frame.action === "receive_message") tally.hear(frame, clock.monotonic());
        listen(reader);
      }
    }
    const deadline = clock.monotonic() + timeout;
    while (tally.missing > 0 && !trouble() && clock.monotonic() < deadline) await pause(clock, POLL);
    return flight;
  } finally {
    await Promise.all(lines.map((line) => line.hangUp()));
  }

  function trouble() {
    const cut = lines.find((line) => line.cut)?.cut;
    if (cut) flight.trouble ??= { cut };
    return flight.trouble;
  }
}

function whySilent({ cut, refusal }: Line): Flight["trouble"] {
  return cut ? { cut } : refusal ? { refused: refusal } : { silent: true };
}

function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => clock.after(milliseconds, resolve));
}
