/**
 * What `workers_test.ts` minds: a Worker that answers with a number of its own, and fails in any way that it is asked
 * for.
 */
import { serveAsWorker } from "../../workers.ts";

const own = crypto.randomUUID();

function die(how: string, failed: (error: Error) => void): void {
  switch (how) {
    case "/fail":
      return failed(new Error("it can't go on"));
    case "/throw":
      throw new Error("as it was asked to");
    case "/end":
      // Nobody is told of this.
      self.close();
  }
}

serveAsWorker((port, failed) => {
  const server = Deno.serve(
    { port, hostname: "127.0.0.1", reusePort: true, onListen() {} },
    ({ url }, { completed }) => {
      completed.finally(() => setTimeout(die, 0, new URL(url).pathname, failed));
      return new Response(own, { headers: { connection: "close" } });
    },
  );
  return Promise.resolve({ port: server.addr.port, stop: () => server.shutdown() });
});
