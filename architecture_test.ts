import assert from "node:assert/strict";

/**
 * Which folder may take from which, but for tests: the first that a file lies in decides. A path that ends with a slash
 * is a folder with all below it. `settings.ts` belongs to `main.ts`.
 */
const ARROWS: [folder: string, allowed: string[]][] = [
  ["chat/entries/", ["chat/entries/", "chat/protocol.ts"]],
  ["chat/", ["chat/"]],
  ["storage/", [
    "storage/",
    "chat/storage.ts",
    "chat/rulebook.ts",
    "chat/entries/",
    "chat/search/",
    "chat/protocol.ts",
    "chat/errors.ts",
    "chat/async.ts",
    "chat/clock.ts",
  ]],
  ["web/", ["web/", "chat/"]],
  ["client/", ["client/", "chat/protocol.ts", "chat/entries/"]],
  ["static/", ["static/", "client/", "chat/protocol.ts", "chat/entries/", "chat/search/"]],
  ["", ["main.ts", "settings.ts", "settings_help.ts", "workers.ts", "deno.json", "chat/", "storage/", "web/"]],
];
/**
 * The parts of chat/, each of which takes only from itself and from lines below its own. The last one is the ground:
 * every file that no other line names.
 */
const PARTS_OF_CHAT: string[][] = [
  ["chat/chat.ts"],
  ["chat/session.ts"],
  ["chat/commands.ts"],
  ["chat/services.ts"],
  ["chat/cluster/", "chat/moderation/", "chat/pipeline/"],
  ["chat/rooms/"],
  ["chat/users/"],
  ["chat/reading/"],
  ["chat/limits/"],
  ["chat/"],
];
/** Folders in which no package may be imported: what browsers load, and the rules. */
const WITHOUT_PACKAGES = ["chat/", "client/", "static/"];
/** Folders that hold no code of ours. */
const WITHOUT_CODE = ["data/", "dist/", "docs/", "node_modules/"];

const root = new URL(".", import.meta.url);

/** All our code, by path from the root. */
async function* files(folder = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, root))) {
    const path = folder + name;
    if (!isDirectory) {
      if (name.endsWith(".ts")) yield path;
    } else if (!name.startsWith(".") && !WITHOUT_CODE.includes(`${path}/`)) yield* files(`${path}/`);
  }
}

/** All of the server and of the page but for tests, by path from the root. */
async function* sources(): AsyncGenerator<string> {
  for await (const path of files()) {
    const isOurs = !path.includes("/") || ARROWS.some(([folder]) => folder !== "" && path.startsWith(folder));
    if (isOurs && !path.endsWith("_test.ts")) yield path;
  }
}

/** What each file imports, types and `import()` included: paths from the root, and names of packages as they are. */
async function imports(path: string): Promise<string[]> {
  const file = new URL(path, root);
  const source = await Deno.readTextFile(file);
  const specifiers = source.matchAll(
    /^(?:import|export)\b[^;"]* from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"/gm,
  );
  return [...specifiers].map(([, ...found]) => found.find((one) => one !== undefined)!)
    .map((specifier) => specifier.startsWith(".") ? new URL(specifier, file).href.slice(root.href.length) : specifier);
}

function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => place.endsWith("/") ? path.startsWith(place) : path === place);
}

Deno.test("every file takes only from where its folder may", async () => {
  let count = 0;
  for await (const path of sources()) {
    const allowed = ARROWS.find(([folder]) => path.startsWith(folder))![1];
    for (const imported of await imports(path)) {
      const where = `${path} takes ${imported}`;
      const isFile = /\.(ts|json)$/.test(imported) || imported.startsWith("static/");
      if (isFile) assert.ok(isIn(imported, allowed), where);
      else assert.ok(!isIn(path, WITHOUT_PACKAGES), where);
      count++;
    }
  }
  assert.ok(count > 300, `only ${count} imports were found`);
});

Deno.test("kinds of entries take nothing but types and the wire from elsewhere, since browsers load them", async () => {
  for await (const path of sources()) {
    if (!path.startsWith("chat/entries/")) continue;
    const source = await Deno.readTextFile(new URL(path, root));
    for (const [line] of source.matchAll(/^import (?!type )[^;]* from "(?!\.\/|\.\.\/protocol\.ts")[^"]*";/gm)) {
      assert.fail(`${path}: ${line}`);
    }
  }
});

Deno.test("inside chat/ every file takes only from its own part and from those below", async () => {
  const levelOf = (path: string) => PARTS_OF_CHAT.findIndex((parts) => isIn(path, parts));
  for await (const path of sources()) {
    const level = levelOf(path);
    if (level === -1) continue;
    const own = PARTS_OF_CHAT[level].find((part) => isIn(path, [part]))!;
    for (const imported of await imports(path)) {
      const isAllowed = levelOf(imported) > level || levelOf(imported) === level && isIn(imported, [own]);
      assert.ok(isAllowed, `${path} takes ${imported}`);
    }
  }
});

/**
 * Circles of files, each as the paths along it: a strongly connected component of more than one file has one, and so
 * has a file that imports itself.
 */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const reached = (from: string) => {
    const seen = new Map<string, string>();
    const left = [from];
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      for (const next of graph.get(path) ?? []) {
        if (seen.has(next)) continue;
        seen.set(next, path);
        left.push(next);
      }
    }
    return seen;
  };
  const found: string[][] = [];
  const named = new Set<string>();
  for (const start of graph.keys()) {
    const seen = reached(start);
    if (named.has(start) || !seen.has(start)) continue;
    const circle = [start];
    for (let path = seen.get(start)!; path !== start; path = seen.get(path)!) circle.unshift(path);
    found.push([start, ...circle]);
    for (const path of seen.keys()) if (reached(path).has(start)) named.add(path);
  }
  return found;
}

Deno.test("a circle is found and named, however long it is", () => {
  const graph = { a: ["b"], b: ["c", "d"], c: ["a"], d: ["e"], e: ["e"], f: ["a"] };
  const found = circles(new Map(Object.entries(graph)));
  assert.deepEqual(found, [["a", "b", "c", "a"], ["e", "e"]]);
});

Deno.test("no files import each other in a circle, types and tests included", async () => {
  const graph = new Map<string, string[]>();
  for await (const path of files()) graph.set(path, await imports(path));
  assert.ok(graph.size > 200, `only ${graph.size} files were found`);
  assert.deepEqual(circles(graph).map((circle) => circle.join(" → ")), []);
});

Deno.test("the wire's file imports nothing", async () => {
  assert.deepEqual(await imports("chat/protocol.ts"), []);
});
