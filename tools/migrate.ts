/** `deno task migrate`: brings a store that an older Parley has written to the layout of this one. */
import { systemClock } from "../chat/clock.ts";
import { readSettings, type Settings } from "../settings.ts";
import { migrateKv } from "./migrate/kv.ts";
import type { MigrateOptions } from "./migrate/options.ts";

const HELP =
  `Brings what an older Parley has stored in Redis or Deno KV to the layout of this one. Run it once after an update that
says so, while every server is stopped.

  deno task migrate [--drop-older]

  --drop-older  removes what an older Parley has written after the migration

It takes the settings of the server from the environment, above all DATABASE_URL. docs/scaling.md says more.`;

/**
 * @returns one sentence that says what was done
 * @throws {Error} one sentence that says why it can't be done
 */
export async function migrate(database: Settings["DATABASE_URL"], options: MigrateOptions): Promise<string> {
  switch (database.kind) {
    case "memory":
      return "Nothing is to be done: memory: keeps nothing.";
    case "sqlite":
      return "Nothing is to be done: the server migrates a SQLite file at its first start.";
    case "kv":
      return await migrateKv(database.path, options);
    case "redis": {
      // Only who asks for it pays for its client.
      const { migrateRedis } = await import("./migrate/redis.ts");
      return await migrateRedis(database, options);
    }
  }
}

if (import.meta.main) {
  if (Deno.args.some((argument) => argument === "--help" || argument === "-h")) {
    console.log(HELP);
    Deno.exit(0);
  }
  try {
    const { DATABASE_URL } = readSettings((name) => Deno.env.get(name));
    const unknown = Deno.args.find((argument) => argument !== "--drop-older");
    if (unknown !== undefined) throw new Error(`It takes no argument ${unknown}: see --help.`);
    const dropOlder = Deno.args.includes("--drop-older");
    console.log(await migrate(DATABASE_URL, { clock: systemClock, dropOlder }));
  } catch (error) {
    console.error(`The store could not be migrated. ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
