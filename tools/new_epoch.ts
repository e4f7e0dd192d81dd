/** `deno task new-epoch`: tells clients that what they saw last may not be what the restored store holds. */
import { openStorage } from "../main.ts";
import { readSettings } from "../settings.ts";

const HELP =
  `Begins a new epoch, so that clients fetch every room again. Run it once after restoring a backup, before the
server is started.

  deno task new-epoch

It takes no arguments, and the settings of the server from the environment, above all DATABASE_URL.`;

if (Deno.args.some((argument) => argument === "--help" || argument === "-h")) {
  console.log(HELP);
  Deno.exit(0);
}
try {
  if (Deno.args.length > 0) throw new Error(`it takes no argument ${Deno.args[0]}: see --help.`);
  const settings = readSettings((name) => Deno.env.get(name));
  const storage = await openStorage(settings);
  await storage.renewEpoch();
  await storage.close();
  console.log("Done. Start the server: clients fetch the rooms anew.");
} catch (error) {
  console.error(`The epoch could not be renewed: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
