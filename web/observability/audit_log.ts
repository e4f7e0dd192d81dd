import type { Clock } from "../../chat/clock.ts";
import { networkOf } from "../transport/client_address.ts";
import { LogSampler } from "./log_sampler.ts";

/** Most characters of a field that a client wrote itself; the rest is cut. */
const LENGTH = 100;

/** Who was refused, and why. It never has a message's text, a token or a full address. */
export interface Refused {
  /** The reason, one word out of a few: lines are sampled by it. */
  why: string;
  user?: string;
  addressKey?: string;
  origin?: string | null;
  path?: string;
}

/** Writes one line of JSON for each refusal, or a sample if there are many. */
export class AuditLog {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  readonly #sampler: LogSampler;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#sampler = new LogSampler(clock, (why, left_out) => this.#line({ why, left_out }));
  }

  /** Notes a refusal. Of the address only the network is written. */
  refused({ why, user, addressKey, origin, path }: Refused): void {
    if (!this.#sampler.admits(why)) return;
    const network = addressKey === undefined ? undefined : networkOf(addressKey);
    this.#line({ why, user, network, origin: origin?.slice(0, LENGTH), path: path?.slice(0, LENGTH) });
  }

  /** Writes how many lines were left out since the last count. */
  close(): void {
    this.#sampler.close();
  }

  #line(entry: Record<string, unknown>): void {
    this.#write(JSON.stringify({ time: new Date(this.#clock.now()).toISOString(), event: "refused", ...entry }));
  }
}
