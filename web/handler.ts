import { Refusal } from "../chat/refusal.ts";
import { type Asked, askedOf } from "./host.ts";
import type { App, House } from "./house.ts";
import { HttpRefusal, problem } from "./problem.ts";
import { noted } from "./refusals.ts";
import { isUpgrade } from "./socket.ts";

/** What monitors ask for by whatever name they know: an address of the machine, mostly. */
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
  function refusalOf(asked: Asked | undefined): Response | undefined {
    if (!asked) {
      return problem(
        new Refusal("bad_frame", "The Host header is no host name. Send the server's name, and its port if need be."),
      );
    }
    if (house.hosts.length === 0 || asked.names.every((name) => house.hosts.includes(name))) return undefined;
    if (FOR_MONITORS.includes(asked.url.pathname)) return undefined;
    return problem(new HttpRefusal(421, "forbidden", "Nothing is served under this name. Add it to HOSTS."));
  }

  return async (request, info) => {
    try {
      const asked = askedOf(request);
      const refusal = refusalOf(asked);
      if (refusal) return await noted(house, request, info, refusal);
      if (asked?.url.pathname !== "/connect" || !isUpgrade(request)) return await app.fetch(request, info);
      const response = await house.sockets.connect(request, house.proxies.addressKey(request, info.remoteAddr));
      return response.status === 101 ? response : await noted(house, request, info, response);
    } catch (error) {
      console.error("a request could not be answered:", error);
      return problem(new Refusal("unavailable", "Something failed here. Try again in a moment.", 1));
    }
  };
}
