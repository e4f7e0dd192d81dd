import type { Entry, ReceiveMessage } from "../../chat/protocol.ts";

/** Canary messages, as one listener heard them. */
export class Tally {
  readonly #sent = new Map<string, number>();
  readonly #heard = new Map<string, ReceiveMessage>();
  readonly #latencies: number[] = [];
  #last: number | undefined;
  /** Messages that came twice, or that were kept twice. */
  doubled = 0;
  /** Entries that came before or after their turn. */
  misplaced = 0;

  /** @param now milliseconds by any clock, the same as in `hear` */
  send(id: string, now: number): void {
    if (!this.#sent.has(id)) this.#sent.set(id, now);
  }

  /** What came live. */
  hear(entry: Entry, now: number): void {
    const isNew = this.catchUp(entry);
    const sent = "id" in entry && entry.id !== undefined ? this.#sent.get(entry.id) : undefined;
    if (isNew && sent !== undefined) this.#latencies.push(now - sent);
  }

  /** What came as missed: how long that took says nothing. @returns whether it is new */
  catchUp(entry: Entry): boolean {
    if (entry.action !== "receive_message" || !this.#sent.has(entry.id!)) return false;
    if (this.#heard.has(entry.id!)) {
      this.doubled++;
      return false;
    }
    if (this.#last !== undefined && entry.seq !== this.#last + 1) this.misplaced++;
    this.#last = entry.seq;
    this.#heard.set(entry.id!, entry);
    return true;
  }

  /** How many were sent. */
  get sent(): number {
    return this.#sent.size;
  }

  /** How many have not come so far. */
  get missing(): number {
    return this.#sent.size - this.#heard.size;
  }

  /** The position of the newest that came. */
  get last(): number {
    return this.#last ?? 0;
  }

  /** Milliseconds: what half of them took at most, and the slowest of all. */
  get latency(): { median: number; slowest: number } {
    const sorted = this.#latencies.toSorted((one, other) => one - other);
    return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, slowest: sorted.at(-1) ?? 0 };
  }
}
