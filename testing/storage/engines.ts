/** Every store that the tests of a rule run on. */
import { systemClock } from "../../chat/clock.ts";
import type { Kinds, Retention } from "../../chat/rulebook.ts";
import type { Storage } from "../../chat/storage.ts";
import { KvStorage } from "../../storage/kv/kv.ts";
import { MemoryStorage } from "../../storage/memory.ts";
import { RedisStorage } from "../../storage/redis/redis.ts";
import { SqliteStorage } from "../../storage/sqlite/sqlite.ts";
import { FakeClock } from "../clock.ts";
import { RedisServer, redisServer, redisTest } from "../servers/redis.ts";

/** One store, which several isolates or the same one after a restart may open. */
export interface Store {
  open(options: { clock: FakeClock; retention?: Retention; kinds?: Kinds }): Promise<Storage>;
  /** Whether what was written is there for the next one who opens it. */
  lasting: boolean;
  /** Whether it can be open several times at once. */
  shared: boolean;
  remove(): Promise<void>;
}

export const KEEP_ALL: Retention = { messages: 0, days: 0 };
const storages: Record<string, () => Promise<Store>> = {
  memory: () =>
    Promise.resolve({
      lasting: false,
      shared: false,
      open: ({ clock, retention = KEEP_ALL, kinds }) =>
        Promise.resolve(new MemoryStorage({ clock, secret: "s", retention, kinds })),
      remove: () => Promise.resolve(),
    }),
  sqlite: async () => {
    const folder = await Deno.makeTempDir();
    return {
      lasting: true,
      shared: true,
      open: ({ clock, retention = KEEP_ALL, kinds }) =>
        SqliteStorage.open(`${folder}/chat.db`, { clock, retention, kinds, isolates: true }),
      remove: () => Deno.remove(folder, { recursive: true }),
    };
  },
  kv: async () => {
    const folder = await Deno.makeTempDir();
    return {
      lasting: true,
      shared: true,
      open: ({ clock, retention = KEEP_ALL, kinds }) => {
        // Deno KV takes real time to answer; only what the clock shows is the test's.
        return KvStorage.open(`${folder}/chat.kv`, {
          clock: { ...systemClock, now: () => clock.now() },
          retention,
          kinds,
        });
      },
      remove: () => Deno.remove(folder, { recursive: true }),
    };
  },
};

if (redisServer) {
  let server: RedisServer;
  Deno.test.beforeAll(async () => {
    server = await RedisServer.start();
  });
  Deno.test.afterAll(() => server.stop());
  let stores = 0;
  storages.redis = () => {
    const url = `${server.url}/${stores % 16}`;
    const prefix = `store${stores++}`;
    return Promise.resolve({
      lasting: true,
      shared: true,
      open: ({ clock, retention = KEEP_ALL, kinds }) => {
        // Redis takes real time to answer; only what the clock shows is the test's.
        const shown = { ...systemClock, now: () => clock.now() };
        return RedisStorage.open({ url, prefix, mayLoseASecond: false }, { clock: shown, retention, kinds });
      },
      remove: () => Promise.resolve(),
    });
  };
} else {
  redisTest("every rule of the log", async () => {});
}

/** What a rule is checked on: a storage, its clock, and the store that it has open. */
export interface Checked {
  storage: Storage;
  clock: FakeClock;
  store: Store;
}

/** Every store, with what makes a test of a rule that holds for it. */
export const engines = Object.entries(storages).map(([name, create]) => ({
  name,
  rule(title: string, check: (checked: Checked) => Promise<void>, retention?: Retention, kinds?: Kinds): void {
    Deno.test(`${name}: ${title}`, async () => {
      const store = await create();
      const clock = new FakeClock();
      const storage = await store.open({ clock, retention, kinds });
      try {
        await check({ storage, clock, store });
      } finally {
        await storage.close();
        await store.remove();
      }
    });
  },
}));
