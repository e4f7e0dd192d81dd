import type { MiddlewareHandler } from "hono";
import { PAGE_BYTES } from "../../chat/storage.ts";
import { EVENT_HEADERS } from "./sse.ts";
import type { AppServices } from "../services.ts";

/**
 * Bytes from which on an answer is handed over only as fast as it is taken: about what the runtime keeps of any request
 * that is under way.
 */
export const LARGE = 4 * 1024;

/**
 * Keeps what waits to be taken by one address within bounds. Event streams have bounds of their own, and count as
 * connections.
 */
export function limitAnswers({ chat, proxies }: AppServices): MiddlewareHandler<{ Bindings: Deno.ServeHandlerInfo }> {
  return async (c, next) => {
    if (!isLimited(c.req.method, c.req.path)) return await next();
    const { rateLimiter } = chat.services;
    const address = proxies.addressKey(c.req.raw, c.env.remoteAddr);
    // Until it is known how large an answer is, as much is set aside as it may come to.
    const free = rateLimiter.answering(address, c.req.path.startsWith("/api/") ? PAGE_BYTES : LARGE);
    try {
      await next();
      if (!c.res.body || isStream(c.res)) return;
      const bytes = await c.res.bytes();
      const taken = rateLimiter.underWay(address, bytes.length);
      c.env.completed.then(taken, taken);
      const { status, headers } = c.res;
      headers.set("content-length", String(bytes.length));
      // What is set over an answer is merged with it; it is to take its place.
      c.res = undefined;
      c.res = new Response(bytes.length < LARGE ? bytes : handedOver(bytes), { status, headers });
    } finally {
      free();
    }
  };
}

/** Whether an answer may be large: what is posted is answered with a frame, but for a room that is looked at. */
export function isLimited(method: string, path: string): boolean {
  return method !== "POST" || path === "/api/actions";
}

function isStream({ headers }: Response): boolean {
  return headers.get("content-type") === EVENT_HEADERS["content-type"];
}

/**
 * A body that is handed over only as fast as it is taken. Of a text, or of bytes, the runtime says that the answer is
 * `completed` as soon as it has a copy of its own, though it may have to keep that for as long as it likes a client that
 * takes nothing (HTTP/2 with a window of 0).
 */
function handedOver(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
}
