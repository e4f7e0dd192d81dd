import {
  GIVEN_NAME_MEMORY,
  type HeldName,
  type NameClaim,
  type NameHolder,
  type NameRegistry,
} from "../../chat/storage.ts";
import type { Database } from "./database.ts";

interface NameRow {
  key: string;
  user: string;
  name: string;
  chosen: number;
  until: number;
}

/** Who is called what, in a database file. */
export class NameTable implements NameRegistry {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  claim(claim: NameClaim): Promise<HeldName | NameHolder> {
    return this.#database.write(() => this.#claim(claim));
  }

  hold(holds: readonly { user: string; until: number }[]): Promise<void> {
    return this.#database.write(() => {
      for (const { user, until } of holds) this.#hold(user, until);
    });
  }

  /** Forgets given names whose time was over `GIVEN_NAME_MEMORY` ago: every visitor leaves one. */
  async forget(now: number): Promise<void> {
    const forget = this.#database.sql("DELETE FROM names WHERE until < ? AND chosen = 0");
    await this.#database.write(() => forget.run(now - GIVEN_NAME_MEMORY));
  }

  #claim({ user, key, name, chosen, until, now }: NameClaim): HeldName | NameHolder {
    const own = this.#database.sql("SELECT * FROM names WHERE user = ?").get(user) as NameRow | undefined;
    if (own && !chosen) {
      this.#hold(user, until);
      return { name: own.name, chosen: own.chosen === 1 };
    }
    const holder = this.#database.sql("SELECT * FROM names WHERE key = ?").get(key) as NameRow | undefined;
    if (holder && holder.user !== user && holder.until > now) return { holder: holder.user, until: holder.until };
    this.#database.sql("DELETE FROM names WHERE key = ? OR user = ?").run(key, user);
    this.#database.sql("INSERT INTO names (key, user, name, chosen, until) VALUES (?, ?, ?, ?, ?)")
      .run(key, user, name, chosen ? 1 : 0, until);
    return { name, chosen };
  }

  #hold(user: string, until: number): void {
    this.#database.sql("UPDATE names SET until = max(until, ?) WHERE user = ?").run(until, user);
  }
}
