/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** The thread that speaks: at an even pace for as many seconds as it is told, however much there is to read. */
import { type Client, connect, count, type Load, pause, type Report, speakers } from "./client.ts";

let load: Load;
let clients: Client[];
let sent = 0;
globalThis.onmessage = async ({ data }: MessageEvent<{ load: Load } | { seconds: number }>) => {
  let late = 0;
  if ("load" in data) {
    load = data.load;
    clients = await connect(load, 0, speakers(load));
    for (const client of clients) void client.listen();
  } else {
    const from = performance.now();
    const all = Math.round(load.rate * load.rooms * data.seconds);
    for (let done = 0; done < all;) {
      const due = Math.min(all, Math.floor((performance.now() - from) / 1000 * load.rate * load.rooms));
      for (; done < due; done++) clients[sent++ % clients.length].say();
      await pause(1);
    }
    late = performance.now() - from - data.seconds * 1000;
  }
  self.postMessage({ sent, late, received: count(clients) } satisfies Report);
};
