import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** How an answer may be compressed, the smallest first. */
const ENCODINGS = ["br", "gzip"] as const;
export type Encoding = typeof ENCODINGS[number];

/**
 * Brotli's quality for what is compressed for each answer: a page of messages takes 0.15 ms, the longest at most a
 * millisecond. With 5 some texts take five times as long.
 */
export const FAST = 4;
/** For what is compressed once. With 11 it takes twelve times as long and saves a twelfth. */
export const SMALL = 6;

/** The smallest that a client takes; undefined: as it is. */
export function acceptedEncoding(c: Context): Encoding | undefined {
  const name = accepts(c, {
    header: "Accept-Encoding",
    supports: [...ENCODINGS],
    default: "",
    // Browsers name several without preferring one.
    match: (accepted, { supports }) =>
      supports.find((name) => accepted.some(({ type, q }) => type.toLowerCase() === name && q > 0)) ?? "",
  });
  return name === "" ? undefined : name as Encoding;
}

/** @param quality Brotli's, from 0 to 11 */
export function compress(bytes: Uint8Array, encoding: Encoding, quality: number): Uint8Array<ArrayBuffer> {
  const compressed = encoding === "br"
    ? brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } })
    : gzipSync(bytes);
  // A copy, so that no larger buffer stays in memory.
  return compressed.slice();
}
