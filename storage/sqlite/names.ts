import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { HeldName } from "../../chat/storage.ts";

interface NameRow {
  key: string;
  user: string;
  name: string;
  chosen: number;
  until: number;
}

/** Who is called what, in a database file. The caller keeps the transaction. */
export class NameTable {
  readonly #byUser: StatementSync;
  readonly #byKey: StatementSync;
  readonly #add: StatementSync;
  readonly #remove: StatementSync;
  readonly #hold: StatementSync;
  readonly #forget: StatementSync;

  constructor(file: DatabaseSync) {
    this.#byUser = file.prepare("SELECT * FROM names WHERE user = ?");
    this.#byKey = file.prepare("SELECT * FROM names WHERE key = ?");
    this.#add = file.prepare("INSERT INTO names (key, user, name, chosen, until) VALUES (?, ?, ?, ?, ?)");
    this.#remove = file.prepare("DELETE FROM names WHERE key = ?");
    this.#hold = file.prepare("UPDATE names SET until = max(until, ?) WHERE user = ?");
    this.#forget = file.prepare("DELETE FROM names WHERE until < ? AND chosen = 0");
  }

  claim(claim: HeldName & { user: string; key: string; until: number; now: number }): HeldName | undefined {
    const { user, key, name, chosen, until, now } = claim;
    const own = this.#byUser.get(user) as NameRow | undefined;
    if (own && !chosen) {
      this.#hold.run(until, user);
      return { name: own.name, chosen: own.chosen === 1 };
    }
    const holder = this.#byKey.get(key) as NameRow | undefined;
    if (holder && holder.user !== user && holder.until > now) return undefined;
    if (holder) this.#remove.run(key);
    if (own && own.key !== key) this.#remove.run(own.key);
    this.#add.run(key, user, name, chosen ? 1 : 0, until);
    return { name, chosen };
  }

  hold(holds: readonly { user: string; until: number }[]): void {
    for (const { user, until } of holds) this.#hold.run(until, user);
  }

  /** Forgets given names whose time was over before `date`: every passer-by leaves one. */
  forget(date: number): void {
    this.#forget.run(date);
  }
}
