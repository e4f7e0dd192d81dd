import { getPath } from "hono/utils/url";
import { ChatError } from "../chat/errors.ts";
import { FOR_MONITORS, namesAskedFor } from "./transport/host.ts";
import type { App, AppServices } from "./services.ts";
import { HttpRefusal, problem } from "./schema/problem.ts";
import { noted } from "./observability/refusals.ts";
import { isUpgrade } from "./transport/websocket_handshake.ts";

/**
 * Makes the handler for `Deno.serve`, which never throws. The upgrade to a socket is answered here and by no route:
 * once the runtime has begun one, its own response must be returned unchanged, or the listener closes for good.
 */
export function createHandler(
  app: App,
  services: AppServices,
): (request: Request, info: Deno.ServeHandlerInfo) => Promise<Response> {
  const { basePath, hosts } = services;
  const docs = basePath.to("/docs");

  /** @throws {ChatError} if no route should see this request */
  function refuseStrange(request: Request, path: string): void {
    const names = namesAskedFor(request);
    if (!names) {
      throw new ChatError(
        "bad_frame",
        "The Host header is no host name. Send the server's name, and its port if need be.",
      );
    }
    if (hosts.length === 0 || names.every((name) => hosts.includes(name))) return;
    if (FOR_MONITORS.includes(path)) return;
    throw new HttpRefusal(421, "forbidden", "Nothing is served under this name. Add it to HOSTS.");
  }

  return async (request, info) => {
    try {
      // The path as routes see it: one that only a browser would shorten to another one is not that other one.
      const path = basePath.of(getPath(request));
      refuseStrange(request, path);
      if (path === "/connect" && isUpgrade(request)) {
        return await services.sockets.connect(request, services.proxies.addressKey(request, info.remoteAddr));
      }
      return await app.fetch(request, info);
    } catch (error) {
      const answer = problem(error, docs);
      return await noted(services, request, info, answer, error).catch(() => answer);
    }
  };
}
