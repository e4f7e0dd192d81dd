/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** The thread that speaks: at an even pace for as many seconds as it is told, however much there is to read. */
import { type Client, connect, count, type Load, type Order, pause, type Report, speakers } from "./client.ts";

let load: Load;
let clients: Client[];
let sent = 0;

async function speak(seconds: number, rate: number): Promise<number> {
  const from = performance.now();
  const all = Math.round(rate * load.rooms * seconds);
  let late = 0;
  for (let done = 0; done < all;) {
    const elapsed = (performance.now() - from) / 1000;
    const due = Math.min(all, Math.floor(elapsed * rate * load.rooms));
    if (done < due) late = Math.max(late, (elapsed - (done + 1) / rate / load.rooms) * 1000);
    for (; done < due; done++) clients[sent++ % clients.length].say();
    await pause(1);
  }
  return late;
}

/** Until the way of a message is this short again. */
async function probe(within: number): Promise<void> {
  const [client] = clients;
  for (let took = Infinity; took > within;) {
    client.delays = [];
    const from = performance.now();
    client.say();
    sent++;
    while (client.delays.length === 0 && performance.now() - from < within) await pause(1);
    took = client.delays.length === 0 ? Infinity : client.delays[client.delays.length - 1];
  }
}

globalThis.onmessage = async ({ data: order }: MessageEvent<Order>) => {
  let late = 0;
  if ("load" in order) {
    load = order.load;
    clients = await connect(load, 0, speakers(load));
    for (const client of clients) {
      if (load.mayRefuse || load.overload) client.refused = 0;
      void client.listen();
    }
  } else if ("within" in order) {
    await probe(order.within);
  } else {
    late = await speak(order.seconds, order.rate);
  }
  const refused = clients.reduce((sum, client) => sum + (client.refused ?? 0), 0);
  self.postMessage({ sent, late, received: count(clients), refused } satisfies Report);
};
