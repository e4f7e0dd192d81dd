import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from "prom-client";
import { interval } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import type { Storage } from "../../chat/storage.ts";
import type { Chat } from "../../chat/chat.ts";
import { Gathering } from "./metrics_gathering.ts";

/** How often the lag of the event loop is measured, milliseconds. */
export const LAG_INTERVAL = 250;
/** Upper bounds in seconds: from the cost of an idle flush cycle to what everyone notices. */
const DURATIONS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Which of several isolates this is, and how many there are. */
interface IsolatePlace {
  worker: string;
  of: number;
}

/** The metrics of `GET /metrics`. The chat only adds to plain numbers, which are read on request. */
export class Metrics {
  /** What each isolate counts for itself. */
  readonly #registry = new Registry();
  /** What all isolates of the process have in common. */
  readonly #process = new Registry();
  readonly #gathering: Gathering | undefined;
  readonly #lag: Histogram;
  readonly #store: Histogram<"operation">;
  readonly #storeFailures: Counter<"operation">;
  readonly #stopAsking: () => void;

  /**
   * @param version of Parley
   * @param place if there are several isolates: each counts for itself, with a label, and answers for all of them
   */
  constructor(clock: Clock, version: string, place?: IsolatePlace) {
    if (place) {
      this.#registry.setDefaultLabels({ worker: place.worker });
      this.#gathering = new Gathering(() => this.#registry.getMetricsAsJSON(), place.of - 1, clock);
    }
    const registers = [this.#registry];
    this.#lag = new Histogram({
      name: "parley_event_loop_lag_seconds",
      help: "How late a timer was: what everything else has to wait.",
      buckets: DURATIONS,
      registers,
    });
    this.#store = new Histogram({
      name: "parley_store_seconds",
      help: "How long the store took to answer, by what was asked of it.",
      labelNames: ["operation"],
      buckets: DURATIONS,
      registers,
    });
    this.#storeFailures = new Counter({
      name: "parley_store_failures_total",
      help: "How often the store did not do what was asked of it.",
      labelNames: ["operation"],
      registers,
    });
    new Gauge({
      name: "parley_build_info",
      help: "Always 1; the labels tell what is running.",
      labelNames: ["version", "deno"],
      registers: [this.#process],
    }).set({ version, deno: Deno.version.deno }, 1);
    this.#gauge(
      "process_resident_memory_bytes",
      "Memory that the process holds.",
      () => Deno.memoryUsage().rss,
      this.#process,
    );
    this.#gauge(
      "process_start_time_seconds",
      "When the process started, in seconds since 1970.",
      () => performance.timeOrigin / 1000,
      this.#process,
    );
    let asked = clock.monotonic();
    this.#stopAsking = interval(clock, LAG_INTERVAL, () => {
      const now = clock.monotonic();
      this.#lag.observe(Math.max(0, now - asked - LAG_INTERVAL) / 1000);
      asked = now;
    });
  }

  /** Adds the metrics of this chat and its store. */
  watch(chat: Chat, store: Pick<Storage, "missedNotifications">): void {
    const { users, rooms, pipeline: { counters } } = chat.services;
    this.#counter(
      "parley_missed_news_total",
      "How often what others had written was found by reading the log, because no notification had come.",
      () => store.missedNotifications,
    );
    this.#gauge("parley_connections", "Open connections.", () => chat.connections);
    this.#gauge("parley_people", "People who are here, however many connections they have.", () => users.count);
    this.#gauge("parley_rooms", "Rooms with somebody in them.", () => rooms.count);
    this.#counter("parley_messages_in_total", "Messages kept.", () => counters.messagesIn);
    this.#counter(
      "parley_messages_out_total",
      "Messages passed on, each counted once for each connection.",
      () => counters.messagesOut,
    );
    this.#counter(
      "parley_slow_readers_total",
      "Readers let go because they did not keep up.",
      () => counters.slowReaders,
    );
    this.#countersByCode(
      "parley_refusals_total",
      "What was asked for and refused, by the code that was told.",
      counters.refusals,
    );
    this.#countersByCode(
      "parley_sent_away_total",
      "Connections that were ended from here, by close code.",
      counters.closes,
    );
    const turns = new Histogram({
      name: "parley_turn_seconds",
      help: "How long it took to keep and pass on what was waiting together.",
      buckets: DURATIONS,
      registers: [this.#registry],
    });
    counters.onFlushCycle = (milliseconds) => turns.observe(milliseconds / 1000);
  }

  /** Counts one answer of the store, as `timed` in `storage/` measures it. */
  storeAnswered(operation: string, milliseconds: number, failed: boolean): void {
    this.#store.observe({ operation }, milliseconds / 1000);
    if (failed) this.#storeFailures.inc({ operation });
  }

  /** Everything, in the text format of Prometheus. */
  async answer(): Promise<Response> {
    const headers = { "content-type": this.#registry.contentType, "cache-control": "no-store" };
    const figures = this.#gathering ? AggregatorRegistry.aggregate(await this.#gathering.all()) : this.#registry;
    return new Response(`${await this.#process.metrics()}${await figures.metrics()}`, { headers });
  }

  /** Stops measuring, and answering other isolates. */
  stop(): void {
    this.#stopAsking();
    this.#gathering?.close();
  }

  #gauge(name: string, help: string, read: () => number, registry = this.#registry): void {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  }

  #countersByCode(name: string, help: string, counts: ReadonlyMap<string | number, number>): void {
    new Counter({
      name,
      help,
      labelNames: ["code"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [code, count] of counts) this.inc({ code }, count);
      },
    });
  }

  #counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
