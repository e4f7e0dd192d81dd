import type { Storage } from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";

/**
 * A subscriber to a room as the contract wants one: what comes out of order, or may be missing, is read from the log.
 */
export class LogView {
  readonly entries: Entry[] = [];
  /** All that it was told of. */
  readonly epochs = new Set<string>();
  readonly #storage: Storage;
  readonly #room: string;
  #reading = Promise.resolve();

  constructor(storage: Storage, room: string) {
    this.#storage = storage;
    this.#room = room;
    storage.subscribe(room, ({ epoch, entries }) => {
      this.epochs.add(epoch);
      const isKnown = entries.length > 0 && entries.every(({ seq }) => seq <= this.entries.length);
      if (isKnown) return;
      const isNext = entries.length > 0 && entries.every(({ seq }, at) => seq === this.entries.length + 1 + at);
      if (isNext) this.entries.push(...entries);
      else {this.#reading = this.#reading.then(() => this.#read()).catch(
          () => {/* the next notification tries again */},
        );}
    });
  }

  /** Resolves when what is being read has been read. */
  settled(): Promise<void> {
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { entries } = await this.#storage.read(this.#room, this.entries.length);
    this.entries.push(...entries.filter(({ seq }) => seq > this.entries.length));
  }
}
