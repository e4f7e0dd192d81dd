import type { Clock } from "../../chat/clock.ts";
import { networkOf } from "../transport/client_address.ts";
import { LogSampler } from "./log_sampler.ts";

/** Characters of what a client wrote itself; longer ones are cut. */
const LENGTH = 100;

/** Who was refused, and why. There is no place in it for a message's text, a token or a full address. */
export interface Refused {
  /** A word for the reason, one of a few: lines are counted by it. */
  why: string;
  user?: string;
  addressKey?: string;
  origin?: string | null;
  path?: string;
}

/** One line of JSON for each who was refused, as long as they are few. */
export class AuditLog {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  readonly #sampler: LogSampler;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#sampler = new LogSampler(clock, (why, left_out) => this.#line({ why, left_out }));
  }

  refused({ why, user, addressKey, origin, path }: Refused): void {
    if (!this.#sampler.admits(why)) return;
    const network = addressKey === undefined ? undefined : networkOf(addressKey);
    this.#line({ why, user, network, origin: origin?.slice(0, LENGTH), path: path?.slice(0, LENGTH) });
  }

  /** Writes what is still to be said of those that were left out. */
  close(): void {
    this.#sampler.close();
  }

  #line(entry: Record<string, unknown>): void {
    this.#write(JSON.stringify({ time: new Date(this.#clock.now()).toISOString(), event: "refused", ...entry }));
  }
}
