/** The servers whose page is measured: the source as it stands, and the one file made of it. */
import { copyTree } from "../../testing/files.ts";
import { builtArguments, type RunningServer, startArguments, startServer } from "../../testing/servers/server.ts";
import { NO_LIMITS } from "./people.ts";

const root = new URL("../../", import.meta.url);

export interface PageServer {
  name: string;
  server: RunningServer;
}

/** Starts both, each with its data in a folder below this one. */
export async function startServers(folder: string): Promise<PageServer[]> {
  const [source, built] = ["source", "built"].map((name) => `${folder}/${name}`);
  await Promise.all([source, built].map((cwd) => Deno.mkdir(cwd)));
  await Deno.copyFile(await build(`${folder}/tree`), `${built}/chat.js`);
  const [one, other] = await Promise.all([
    startServer({ cwd: source, env: NO_LIMITS, args: startArguments }),
    startServer({ cwd: built, env: NO_LIMITS, args: await builtArguments(false) }),
  ]);
  return [{ name: "`deno task start`", server: one }, { name: "`dist/chat.js`", server: other }];
}

/**
 * `deno task build` in a copy of the source, so that the tree's own `dist/` stays as it is.
 * @returns the file's path
 */
async function build(folder: string): Promise<string> {
  const { deploy } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  for (const path of deploy.include) await copyTree(new URL(path, root).pathname, `${folder}/${path}`);
  const [, ...args] = deploy.build.split(" ");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, stdout: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return `${folder}/${deploy.runtime.entrypoint}`;
}
