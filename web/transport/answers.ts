import type { MiddlewareHandler } from "hono";
import { PAGE_BYTES } from "../../chat/storage.ts";
import { acceptedEncoding, compress, FAST } from "./compression.ts";
import { EVENT_HEADERS } from "./sse.ts";
import type { AppServices } from "../services.ts";

/**
 * Bytes from which on an answer is handed over only as fast as the client reads it: about as much as the runtime keeps
 * for any request.
 */
const LARGE = 4 * 1024;
/** Bytes from which on an answer is compressed: a smaller one fits into one packet as it is. */
const COMPRESSED_FROM = 1024;

/**
 * Compresses answers, and limits the bytes that wait to be read by one address. Event streams are limited as connections
 * instead, and never compressed: an event would wait for the next one.
 *
 * The runtime can compress too, but keeps an encoder of half a megabyte for each answer that nobody reads.
 */
export function limitAnswers({ chat, proxies }: AppServices): MiddlewareHandler<{ Bindings: Deno.ServeHandlerInfo }> {
  return async (c, next) => {
    if (!isLimited(c.req.method, c.req.path)) return await next();
    const { rateLimiter } = chat.services;
    const address = proxies.addressKey(c.req.raw, c.env.remoteAddr);
    // Until the size of an answer is known, its greatest size is reserved.
    const free = rateLimiter.answering(address, c.req.path.startsWith("/static/") ? LARGE : PAGE_BYTES);
    try {
      await next();
      if (!c.res.body || isStream(c.res)) return;
      let bytes = await c.res.bytes();
      const { status, headers } = c.res;
      if (bytes.length >= COMPRESSED_FROM && !isEncoded(headers)) {
        headers.append("vary", "accept-encoding");
        const encoding = acceptedEncoding(c);
        if (encoding) {
          bytes = compress(bytes, encoding, FAST);
          headers.set("content-encoding", encoding);
        }
      }
      const taken = rateLimiter.underWay(address, bytes.length);
      c.env.completed.then(taken, taken);
      headers.set("content-length", String(bytes.length));
      // Hono would merge the new answer with the old one.
      c.res = undefined;
      c.res = new Response(bytes.length < LARGE ? bytes : handedOver(bytes), { status, headers });
    } finally {
      free();
    }
  };
}

/** Whether an answer may be large: those to POST are single frames, except the page of a room that an action reads. */
export function isLimited(method: string, path: string): boolean {
  return method !== "POST" || path === "/api/actions";
}

/** Whether it has been compressed already, or stands as it is because the client wants that. */
function isEncoded(headers: Headers): boolean {
  return /\baccept-encoding\b/i.test(headers.get("vary") ?? "");
}

function isStream({ headers }: Response): boolean {
  return headers.get("content-type") === EVENT_HEADERS["content-type"];
}

/**
 * A body that is handed over only as fast as the client reads it. With a text or with bytes the runtime resolves
 * `completed` as soon as it has its own copy, which it may have to keep as long as a client likes that reads nothing
 * (HTTP/2 with a window of 0).
 */
function handedOver(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
}
