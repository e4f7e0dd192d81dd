import { resolve } from "node:path";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";

/** A path that stands for a database in memory, without a file. */
export const IN_MEMORY = ":memory:";
/**
 * Endings of the files beside a database's file while it is open. If the path is a link, they are beside its target.
 */
const COMPANIONS = ["-wal", "-shm"];

/**
 * Makes a database's file and those beside it readable by its owner only; those that SQLite makes later will be too. If
 * there is no file, an empty one is made. If it can't be made, opening the database will say so.
 */
export function keepToOwner(path: string): void {
  if (path === IN_MEMORY) return;
  try {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
  } catch { /* it is there, or can't be */ }
  for (const end of ["", ...COMPANIONS]) closeToOthers(realPath(path) + end);
}

function closeToOthers(path: string): void {
  try {
    const { mode } = Deno.statSync(path);
    // Where there are no such modes there is nothing to close.
    if (mode !== null && (mode & 0o077) !== 0) Deno.chmodSync(path, 0o600);
  } catch (error) {
    if (isOutOfSight(error)) return;
    console.warn(`${path} may be open to others on this machine: its mode can't be set to 0600.`, error);
  }
}

/** Pause between two looks at the write-ahead log, milliseconds. The file itself is looked at before each commit. */
export const COMPANION_INTERVAL = 1_000;

/**
 * A database's files as they were when they were opened. If they are removed or replaced by a backup while they are
 * open, everything written from then on goes where nobody will ever find it.
 */
export class DataFile {
  /** The identity of each file, by path: as it was opened, or when it was first seen. */
  readonly #opened = new Map<string, string>();
  readonly #path: string;
  readonly #log: string;
  readonly #clock: Clock;
  readonly #schemaVersion: () => number;
  #logSeenAt = -Infinity;
  #seen: { size: number; schema: number };
  #isWrittenOver = false;
  #isLost = false;

  /**
   * @param path of a file that is open; one that is none (`:memory:`) can't get lost
   * @param schemaVersion of the database as its connection sees it, which another one that shrinks it on purpose raises
   */
  constructor(path: string, clock: Clock, schemaVersion: () => number = () => 0) {
    // A look at an absolute path takes half as long.
    this.#path = resolve(path);
    this.#log = realPath(path) + COMPANIONS[0];
    this.#clock = clock;
    this.#schemaVersion = schemaVersion;
    const found = lookAt(this.#path);
    if (found) this.#opened.set(this.#path, found.identity);
    this.#seen = { size: found?.size ?? 0, schema: schemaVersion() };
  }

  /**
   * Checks that what is written goes to the file that others open. Called before each commit: some 10 µs.
   * @throws {ChatError} `unavailable` if it does not; the error output says so once
   */
  check(): void {
    if (this.#opened.size === 0) return;
    const cause = this.#cause();
    const wasLost = this.#isLost;
    this.#isLost = cause !== undefined;
    if (wasLost && !this.#isLost) console.warn(`${this.#path} is back. Messages are stored again.`);
    if (!this.#isLost) return;
    if (!wasLost) {
      console.error(
        `${cause} while it was open. Nothing is stored any more. Stop the server, put the right file in place, with ` +
          "neither -wal nor -shm beside it, and start it again. Or move the old file back to where it was.",
      );
    }
    throw new ChatError("unavailable", "The store's file is gone. Nothing can be stored until its owner has acted.", 5);
  }

  /** What has happened to which file; undefined if nothing has. */
  #cause(): string | undefined {
    const size = this.#sizeOfSame(this.#path);
    if (size === undefined) return `${this.#path} was removed or replaced`;
    this.#compare(size);
    if (this.#isWrittenOver) return `${this.#path} was written over`;
    const now = this.#clock.monotonic();
    if (!this.#isLost && now - this.#logSeenAt < COMPANION_INTERVAL) return undefined;
    this.#logSeenAt = now;
    return this.#sizeOfSame(this.#log) === undefined ? `${this.#log} was removed or replaced` : undefined;
  }

  /** Bytes of a file; undefined if it is not the one that was opened. */
  #sizeOfSame(path: string): number | undefined {
    const [opened, found] = [this.#opened.get(path), lookAt(path)];
    if (opened !== undefined) return found?.identity === opened ? found.size : undefined;
    if (found) this.#opened.set(path, found.identity);
    return found?.size ?? 0;
  }

  /**
   * A backup that is copied over the file keeps its identity and mostly makes it smaller. Nothing in Parley makes it
   * smaller. A VACUUM by somebody else does, and also raises the schema version.
   */
  #compare(size: number): void {
    if (size < this.#seen.size) {
      const schema = this.#schemaVersion();
      // This is for good: the size after the copy is complete says nothing.
      if (schema === this.#seen.schema) this.#isWrittenOver = true;
      this.#seen.schema = schema;
    }
    this.#seen.size = size;
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** The identity and the bytes of a file; undefined if there is none, or none that Deno's permissions show. */
function lookAt(path: string): { identity: string; size: number } | undefined {
  try {
    const { dev, ino, size } = Deno.statSync(path);
    return { identity: `${dev}:${ino}`, size };
  } catch (error) {
    if (isOutOfSight(error)) return undefined;
    throw error;
  }
}

/** Whether there is no such file, or none that Deno's permissions let us look at. */
function isOutOfSight(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable;
}
