/** One of several isolates of the real server, with the settings in its address, that dies when it is told to. */
import { start } from "../../main.ts";
import { readSettings } from "../../settings.ts";
import { serveAsWorker, workerNumber } from "../../workers.ts";

const { search, searchParams } = new URL(import.meta.url);
const settings = readSettings((name) => searchParams.get(name) ?? undefined);

new BroadcastChannel(`kill ${search}`).onmessage = ({ data }) => {
  if (data === workerNumber()) throw new Error("as it was told to");
};

serveAsWorker((port) => start({ ...settings, PORT: port, HOST: "127.0.0.1", WORKERS: 2 }));
