/** `deno task new-epoch`: tells clients that what they saw last may not be what the restored store holds. */
import { openStorage } from "../main.ts";
import { readSettings } from "../settings.ts";

try {
  if (Deno.args.length > 0) throw new Error(`it takes no argument ${Deno.args[0]}. The server must be stopped.`);
  const settings = readSettings((name) => Deno.env.get(name));
  const storage = await openStorage(settings);
  await storage.renewEpoch();
  await storage.close();
  console.log("Done. Start the server: clients fetch the rooms anew.");
} catch (error) {
  console.error(`The epoch could not be renewed: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
