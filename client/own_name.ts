import type { ErrorFrame, NameChanged, SetName, Welcome } from "../chat/protocol.ts";
import { isTemporary } from "./outbox.ts";
import type { KeyValueStorage } from "./storage.ts";

const STORAGE_KEY = "parley.name";
/** A name that the server gives. Nobody can choose one, so it is not stored. */
const GIVEN_NAME = /^User \d+$/;

export type RenameAnswer = { kind: "done" } | { kind: "offline" } | { kind: "refused"; error: ErrorFrame };

export interface OwnNameOptions {
  storage: KeyValueStorage;
  newId: () => string;
  send: (frame: SetName) => void;
}

/** The name that this person has chosen. It is stored, and requested again from a server that has lost it. */
export class OwnName {
  readonly #options: OwnNameOptions;
  /** Requests without an answer, by id. */
  readonly #requests = new Map<string, (answer: RenameAnswer) => void>();
  /** The id of the request for the stored name. */
  #restoring: string | null = null;

  constructor(options: OwnNameOptions) {
    this.#options = options;
  }

  /** Requests the stored name if the server gave another one, before anyone sees that. */
  welcomed(frame: Welcome): void {
    const name = this.#options.storage.read(STORAGE_KEY);
    if (name && name !== frame.name) this.#restoring = this.#send(name);
  }

  request(name: string): Promise<RenameAnswer> {
    const id = this.#send(name);
    return new Promise((resolve) => this.#requests.set(id, resolve));
  }

  /** This person has another name, requested here or elsewhere. */
  changed(frame: NameChanged): void {
    this.#options.storage.write(STORAGE_KEY, GIVEN_NAME.test(frame.name) ? null : frame.name);
    if (frame.id !== undefined) this.#answer(frame.id, { kind: "done" });
  }

  /** @returns the stored name, if the error means that it can't be had again */
  failed(id: string, error: ErrorFrame): string | null {
    if (id !== this.#restoring) {
      this.#answer(id, { kind: "refused", error });
      return null;
    }
    this.#restoring = null;
    if (isTemporary(error)) return null;
    const name = this.#options.storage.read(STORAGE_KEY);
    this.#options.storage.write(STORAGE_KEY, null);
    return name;
  }

  disconnected(): void {
    this.#restoring = null;
    for (const id of [...this.#requests.keys()]) this.#answer(id, { kind: "offline" });
  }

  #send(name: string): string {
    const id = this.#options.newId();
    this.#options.send({ action: "set_name", name, id });
    return id;
  }

  #answer(id: string, answer: RenameAnswer): void {
    this.#requests.get(id)?.(answer);
    this.#requests.delete(id);
  }
}
