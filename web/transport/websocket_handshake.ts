import { DEFAULT_ROOM } from "../../chat/protocol.ts";
import { listIn } from "./list_header.ts";

/** Whether a request asks for a socket, at any path. */
export function isUpgrade({ method, headers }: Request): boolean {
  return method === "GET" && listIn(headers.get("upgrade")?.toLowerCase() ?? null).includes("websocket");
}

/** The request with its sub-protocols as the runtime reads them: with a comma and a space between them. */
export function offering(request: Request, offered: readonly string[]): Request {
  const list = offered.join(", ");
  if (list === (request.headers.get("sec-websocket-protocol") ?? "")) return request;
  const headers = new Headers(request.headers);
  headers.set("sec-websocket-protocol", list);
  // The runtime needs the original request object, whose headers can't be changed.
  return Object.defineProperty(request, "headers", { value: headers });
}

/** Closes a socket once it is open, because browsers see the reason only then. */
export function turnAway(socket: WebSocket, [code, reason]: readonly [number, string], gone: () => void): void {
  socket.onopen = () => socket.close(code, reason);
  socket.onerror = () => {};
  socket.addEventListener("close", gone, { once: true });
}

/** The rooms of `room=a,b` or `room=a&room=b`; without `room` the default room, if it is empty none. */
export function roomsAskedFor(url: string): string[] {
  // What most clients ask for takes no parsing.
  const [, only] = /^[^?]*\?room=([\w-]+)$/.exec(url) ?? [];
  if (only !== undefined) return [only];
  const asked = new URL(url).searchParams.getAll("room");
  if (asked.length === 0) return [DEFAULT_ROOM];
  return asked.filter((list) => list !== "").flatMap((list) => list.split(","));
}
