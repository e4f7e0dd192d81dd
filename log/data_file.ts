import { Refusal } from "../chat/refusal.ts";

/** In place of a path it makes a database that is no file. */
export const IN_MEMORY = ":memory:";
/** What stands beside a database's file while it is open: beside the file itself, where the path is a link to it. */
const COMPANIONS = ["-wal", "-shm"];

/**
 * Makes a database's file, with whatever stands beside it, readable by its owner only: what SQLite makes beside it later
 * will be too. An empty one is made where there is none. What can't be made is for the database to complain about.
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
    if (error instanceof Deno.errors.NotFound) return;
    console.warn(`${path} may be open to others on this machine: its mode can't be set to 0600.`, error);
  }
}

/**
 * A database's files as they were when they were opened. Whoever removes them, or puts a backup in their place, while
 * they are open has everything written from then on go where nobody will ever find it. (One that is written over in
 * place stays the same file; that is not noticed.)
 */
export class DataFile {
  /** By path, the file that was opened; a companion from when it is first seen. */
  readonly #opened = new Map<string, string>();
  readonly #paths: string[];
  #isLost = false;

  /** @param path of a file that is open; one that is none (`:memory:`) can't get lost */
  constructor(path: string) {
    this.#paths = [path, realPath(path) + COMPANIONS[0]];
    const identity = identityOf(path);
    if (identity !== undefined) this.#opened.set(path, identity);
  }

  /**
   * Whether what is written comes to stand where it is looked for.
   * @throws {Refusal} `unavailable` if it does not; the first time that is told on the error output
   */
  check(): void {
    if (this.#opened.size === 0) return;
    const lost = this.#lost;
    if (lost !== undefined && !this.#isLost) {
      console.error(
        `${lost} was removed or replaced while it was open. Nothing is stored any more. Put it back as it was, or stop ` +
          "the server, put the right files in place, and start it again.",
      );
    }
    if (lost === undefined && this.#isLost) console.warn(`${this.#paths[0]} is back. What is said is stored again.`);
    this.#isLost = lost !== undefined;
    if (this.#isLost) {
      throw new Refusal(
        "unavailable",
        "The store's file is gone. Nothing can be stored until its owner has acted.",
        5,
      );
    }
  }

  /** The file that is another one by now, if any is. It is looked at with each commit: 1 µs each. */
  get #lost(): string | undefined {
    return this.#paths.find((path) => {
      const [opened, now] = [this.#opened.get(path), identityOf(path)];
      if (opened !== undefined) return now !== opened;
      if (now !== undefined) this.#opened.set(path, now);
      return false;
    });
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** The same for as long as it is the same file; undefined where there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
