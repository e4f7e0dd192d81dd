import assert from "node:assert/strict";

/**
 * Which folder may take from which, but for tests: the first that a file lies in decides. A path that ends with a slash is
 * a folder with all below it. `settings.ts` belongs to `main.ts`.
 */
const ARROWS: [folder: string, allowed: string[]][] = [
  ["chat/entries/", ["chat/entries/", "chat/protocol.ts"]],
  ["chat/", ["chat/"]],
  ["storage/", ["storage/", "chat/"]],
  ["web/", ["web/", "chat/"]],
  ["client/", ["client/", "chat/entries/", "chat/protocol.ts"]],
  ["static/", ["static/", "client/", "chat/entries/", "chat/protocol.ts"]],
  ["", ["main.ts", "settings.ts", "settings_help.ts", "workers.ts", "deno.json", "chat/", "storage/", "web/"]],
];
/** Folders in which no package may be imported: what browsers load, and the rules. */
const WITHOUT_PACKAGES = ["chat/", "client/", "static/"];

const root = new URL(".", import.meta.url);

/** All of the server and of the page, by path from the root. */
async function* sources(folder = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, root))) {
    const path = folder + name;
    if (isDirectory) {
      const isOurs = folder !== "" || ARROWS.some(([allowed]) => allowed === `${name}/`);
      if (isOurs) yield* sources(`${path}/`);
    } else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield path;
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

Deno.test("kinds of entries take nothing but types from elsewhere, since browsers load them", async () => {
  for await (const path of sources("chat/entries/")) {
    const source = await Deno.readTextFile(new URL(path, root));
    for (const [line] of source.matchAll(/^import (?!type )[^;]* from "(?!\.\/)[^"]*";/gm)) {
      assert.fail(`${path}: ${line}`);
    }
  }
});

Deno.test("the wire's file imports nothing", async () => {
  assert.deepEqual(await imports("chat/protocol.ts"), []);
});
