import {
  GIVEN_NAME_MEMORY,
  type HeldName,
  type NameClaim,
  type NameHolder,
  type NameOffer,
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

  give(offers: readonly NameOffer[], until: number, now: number): Promise<(HeldName | undefined)[]> {
    return this.#database.write(() => offers.map((offer) => this.#give(offer, until, now)), true);
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

  #claim({ user, key, name, until, now }: NameClaim): HeldName | NameHolder {
    const holder = this.#database.sql("SELECT * FROM names WHERE key = ?").get(key) as NameRow | undefined;
    if (holder && holder.user !== user && holder.until > now) return { holder: holder.user, until: holder.until };
    this.#database.sql("DELETE FROM names WHERE key = ? OR user = ?").run(key, user);
    this.#database.sql("INSERT INTO names (key, user, name, chosen, until) VALUES (?, ?, ?, ?, ?)")
      .run(key, user, name, 1, until);
    return { name, chosen: true };
  }

  #give({ user, candidates }: NameOffer, until: number, now: number): HeldName | undefined {
    const own = this.#database.sql("SELECT name, chosen FROM names WHERE user = ?").get(user);
    if (own) {
      this.#hold(user, until);
      const { name, chosen } = own as Pick<NameRow, "name" | "chosen">;
      return { name, chosen: chosen === 1 };
    }
    const take = this.#database.sql(
      `INSERT INTO names (key, user, name, chosen, until) VALUES (?, ?, ?, 0, ?) ON CONFLICT (key) DO UPDATE
       SET user = excluded.user, name = excluded.name, chosen = 0, until = excluded.until WHERE until <= ?`,
    );
    const free = candidates.find(({ key, name }) => take.run(key, user, name, until, now).changes === 1);
    return free && { name: free.name, chosen: false };
  }

  #hold(user: string, until: number): void {
    this.#database.sql("UPDATE names SET until = max(until, ?) WHERE user = ?").run(until, user);
  }
}
