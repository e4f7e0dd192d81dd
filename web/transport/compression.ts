import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** How an answer may be compressed, the smallest first. */
const COMPRESSIONS = {
  // A page of messages takes a fifth of a millisecond. The best quality, 11, takes fifty times as long for a tenth less.
  br: (bytes: Uint8Array) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes: Uint8Array) => gzipSync(bytes),
};

export type Encoding = keyof typeof COMPRESSIONS;

/** The smallest that a client takes; undefined: as it is. */
export function acceptedEncoding(c: Context): Encoding | undefined {
  const name = accepts(c, {
    header: "Accept-Encoding",
    supports: Object.keys(COMPRESSIONS),
    default: "",
    // Browsers name several without preferring one.
    match: (accepted, { supports }) =>
      supports.find((name) => accepted.some(({ type, q }) => type.toLowerCase() === name && q > 0)) ?? "",
  });
  return name === "" ? undefined : name as Encoding;
}

export function compress(bytes: Uint8Array, encoding: Encoding): Uint8Array<ArrayBuffer> {
  // A copy, so that no larger buffer stays in memory.
  return COMPRESSIONS[encoding](bytes).slice();
}
