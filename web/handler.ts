import { Refusal } from "../chat/refusal.ts";
import { EVENT_HEADERS } from "./events.ts";
import { requestedHosts } from "./host.ts";
import type { App, House } from "./house.ts";
import { HttpRefusal, problem } from "./problem.ts";
import { noted } from "./refusals.ts";
import { isUpgrade } from "./socket.ts";

/** What monitors ask for by whatever name they know (an address of the machine, mostly), and whoever else asks for much. */
const FOR_MONITORS = ["/healthz", "/readyz", "/metrics"];

/**
 * All that is served, as a handler for `Deno.serve` which never throws. The upgrade to a socket is answered here and by
 * no route: once the runtime has begun one, its own response must come back as it is, or the listener closes for good.
 */
export function createHandler(
  app: App,
  house: House,
): (request: Request, info: Deno.ServeHandlerInfo) => Promise<Response> {
  /** Why no route should see a request; undefined where nothing is wrong with it. */
  function refusalOf(request: Request): Response | undefined {
    const names = requestedHosts(request);
    if (!names) {
      return problem(
        new Refusal("bad_frame", "The Host header is no host name. Send the server's name, and its port if need be."),
      );
    }
    if (house.hosts.length === 0 || names.every((name) => house.hosts.includes(name))) return undefined;
    if (isFromMonitor(request)) return undefined;
    return problem(new HttpRefusal(421, "forbidden", "Nothing is served under this name. Add it to HOSTS."));
  }

  /** Has a route answer, and counts the answer for as long as it is under way. Streams are counted as connections. */
  async function answer(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
    if (isFromMonitor(request)) return await app.fetch(request, info);
    const { doorkeeper } = house.lobby;
    const address = doorkeeper.answering(house.proxies.addressKey(request, info.remoteAddr));
    const answered = () => doorkeeper.answered(address);
    let response: Response | undefined;
    try {
      return response = await app.fetch(request, info);
    } finally {
      if (response?.headers.get("content-type") === EVENT_HEADERS["content-type"]) answered();
      else info.completed.then(answered, answered);
    }
  }

  return async (request, info) => {
    try {
      const refusal = refusalOf(request);
      if (refusal) return await noted(house, request, info, refusal);
      if (!isUpgrade(request)) return await answer(request, info);
      const response = await house.sockets.connect(request, house.proxies.addressKey(request, info.remoteAddr));
      return response.status === 101 ? response : await noted(house, request, info, response);
    } catch (error) {
      if (error instanceof Refusal) return await noted(house, request, info, problem(error));
      console.error("a request could not be answered:", error);
      return problem(new Refusal("unavailable", "Something failed here. Try again in a moment.", 1));
    }
  };
}

function isFromMonitor(request: Request): boolean {
  return FOR_MONITORS.includes(new URL(request.url).pathname);
}
