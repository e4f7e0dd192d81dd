import { withTimeout } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";

/** How long other isolates may take to send their metrics, milliseconds; one that is too busy is left out. */
export const GATHERING = 500;

/** What `Registry.getMetricsAsJSON` gives. */
export type Figures = object[];

type Message = { ask: string } | { answer: string; figures: string };

/** Gives each isolate the metrics of all in its process: nobody can choose which one a scrape reaches. */
export class Gathering {
  readonly #own: () => Promise<Figures>;
  readonly #others: number;
  readonly #clock: Clock;
  readonly #channel = new BroadcastChannel("parley metrics");
  readonly #waiting = new Map<string, (figures: Figures) => void>();

  /** @param others how many other isolates there are */
  constructor(own: () => Promise<Figures>, others: number, clock: Clock) {
    this.#own = own;
    this.#others = others;
    this.#clock = clock;
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("ask" in data) this.#answer(data.ask).catch((error) => console.error("metrics could not be told:", error));
      else this.#waiting.get(data.answer)?.(JSON.parse(data.figures));
    };
  }

  /** The metrics of all isolates that answer in time, this one's first. */
  async all(): Promise<Figures[]> {
    const id = crypto.randomUUID();
    const gathered: Figures[] = [];
    const { promise: complete, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(id, (figures) => {
      if (gathered.push(figures) === this.#others) resolve();
    });
    const inTime = withTimeout(this.#clock, GATHERING, complete, () => {});
    this.#channel.postMessage({ ask: id } satisfies Message);
    const own = await this.#own();
    await inTime;
    this.#waiting.delete(id);
    return [own, ...gathered];
  }

  /** Stops answering others. */
  close(): void {
    this.#channel.close();
  }

  async #answer(ask: string): Promise<void> {
    const figures = JSON.stringify(await this.#own());
    this.#channel.postMessage({ answer: ask, figures } satisfies Message);
  }
}
