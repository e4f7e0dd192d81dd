/**
 * All people of `reconnect_bench.ts`: some rooms of them in each of several processes. The runtime asks every connection
 * that has something to read again and again while it takes 128 of them, so thousands in one process mostly wait for it.
 */
import { type Delays, summed } from "./delays.ts";
import { startHelper } from "./reconnect_helper.ts";
import type { Counts, Crowd, Times, Told } from "./reconnect_load.ts";

/** Processes, all on one processor. */
const PROCESSES = 8;

/** What is known of all of them. */
export type Seen = Counts & Record<keyof Times, Delays>;

export interface People {
  pids: number[];
  ready(): Promise<void>;
  tell(line: string): Promise<void>;
  /** When each of them had everything, in order, milliseconds since 1970. */
  back(): Promise<number[]>;
  over(): Promise<Seen>;
  end(): Promise<void>;
}

/** @param people how many they are, in rooms `room0` to the last; `rate`: messages a second in each room */
export function startPeople(
  { port, people, rooms, rate }: Record<"port" | "people" | "rooms" | "rate", number>,
): People {
  const processes = Array.from({ length: Math.min(PROCESSES, rooms) }, (_, at) => {
    const own = Array.from({ length: rooms }, (_, room) => room).filter((room) => room % PROCESSES === at);
    const count = own.reduce((sum, room) => sum + Math.ceil(Math.max(0, people - room) / rooms), 0);
    return startHelper<Told>("reconnect_load.ts", { port, people: count, rooms: own, rate } satisfies Crowd);
  });
  const all = <Result>(act: (process: typeof processes[number]) => Promise<Result>) => Promise.all(processes.map(act));
  return {
    pids: processes.map(({ pid }) => pid),
    ready: async () => void await all((process) => process.next("ready")),
    tell: async (line) => void await all((process) => process.tell(line)),
    async back() {
      const each = await all((process) => process.next("back"));
      return each.flatMap(({ at }) => at).toSorted((one, other) => one - other);
    },
    async over() {
      const each = await all((process) => process.next("over"));
      const count = (what: keyof Counts) => each.reduce((sum, told) => sum + told[what], 0);
      const delays = (what: keyof Times) => summed(each.flatMap((told) => told[what]));
      return {
        noticed: delays("noticed"),
        ways: delays("ways"),
        meanwhile: delays("meanwhile"),
        again: delays("again"),
        late: delays("late"),
        tries: count("tries"),
        said: count("said"),
        refused: count("refused"),
        lost: count("lost"),
        doubled: count("doubled"),
        lacking: count("lacking"),
        unrecovered: count("unrecovered"),
      };
    },
    end: async () => void await all((process) => process.end()),
  };
}
