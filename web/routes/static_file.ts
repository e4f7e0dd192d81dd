import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** How a file may be compressed, the smallest first. */
const COMPRESSIONS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  // The best quality, 11, takes twelve times as long and saves a twelfth.
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
  gzip: (bytes) => gzipSync(bytes),
};

/** A file that does not change while this server runs, so that clients need to load it only once. */
export class StaticFile {
  /** Of the file as it is; compressed it has the weak form of the same tag. */
  readonly etag: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #type: string;
  /** Compressed when it is first asked for: most isolates are never asked for most files, and should start quickly. */
  readonly #compressed = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(text: string, type: string) {
    this.#bytes = new TextEncoder().encode(text);
    this.#type = type;
    this.etag = `"${createHash("sha256").update(this.#bytes).digest("base64url")}"`;
  }

  /**
   * The file, compressed if the client takes that, or 304 if the client has it.
   * @param immutable whether another content would have another address: then a client need not ask again
   */
  serve(c: Context, { status = 200, immutable = false } = {}): Response {
    const encoding = accepts(c, {
      header: "Accept-Encoding",
      supports: Object.keys(COMPRESSIONS),
      default: "identity",
      // Browsers name several without preferring one.
      match: (accepted, { supports }) =>
        supports.find((name) => accepted.some(({ type, q }) => type.toLowerCase() === name && q > 0)) ?? "identity",
    });
    const headers = new Headers({
      etag: encoding === "identity" ? this.etag : `W/${this.etag}`,
      "cache-control": immutable ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
    });
    if (status === 200 && isKnown(c.req.header("if-none-match"), this.etag)) {
      return new Response(null, { status: 304, headers });
    }
    headers.set("content-type", this.#type);
    if (encoding === "identity") return new Response(this.#bytes, { status, headers });
    headers.set("content-encoding", encoding);
    return new Response(this.#compress(encoding), { status, headers });
  }

  #compress(encoding: string): Uint8Array<ArrayBuffer> {
    let compressed = this.#compressed.get(encoding);
    // A copy, so that no larger buffer stays in memory.
    if (!compressed) this.#compressed.set(encoding, compressed = COMPRESSIONS[encoding](this.#bytes).slice());
    return compressed;
  }
}

/** As RFC 9110 compares for `If-None-Match`: whether the tag is weak makes no difference. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, ""))) ?? false;
}
