/** The README is what a newcomer reads in two minutes; `docs_test.ts` runs what stands in it and in `docs/`. */
import assert from "node:assert/strict";
import { Page } from "./testing/markdown.ts";

/** Lines; who wants to know more finds it in `docs/`. */
const LENGTH = 150;
const { text, links } = await Page.read("README.md");
const pictures = [...text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path]) => path);

Deno.test("the README is short", () => {
  assert.ok(text.split("\n").length <= LENGTH);
});

Deno.test("the README leads to every page of docs/, and shows every picture", async () => {
  for (const folder of ["docs/", "docs/screenshots/"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, import.meta.url))) {
      if (isFile) assert.ok(links.includes(folder + name) || pictures.includes(folder + name), name);
    }
  }
});

Deno.test("the README names every task, and the command that CI takes from it", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", import.meta.url)));
  for (const name of Object.keys(tasks)) assert.match(text, new RegExp(`deno task ${name}|\`${name}\``), name);
  assert.match(text, /^npx -y deno task test$/m);
});
