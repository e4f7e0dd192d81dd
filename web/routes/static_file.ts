import type { Context } from "hono";
import { createHash } from "node:crypto";
import { acceptedEncoding, compress, type Encoding, SMALL } from "../transport/compression.ts";

/** A file that does not change while this server runs, so that clients need to load it only once. */
export class StaticFile {
  /** Of the file as it is; compressed it has the weak form of the same tag. */
  readonly etag: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #type: string;
  /** Made when first asked for: an isolate is never asked for most of its files, and should start quickly. */
  readonly #compressed = new Map<Encoding, Uint8Array<ArrayBuffer>>();

  constructor(content: string | Uint8Array<ArrayBuffer>, type: string) {
    this.#bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#type = type;
    this.etag = `"${createHash("sha256").update(this.#bytes).digest("base64url")}"`;
  }

  /**
   * The file, compressed if the client takes that, or 304 if the client has it.
   * @param immutable whether another content would have another address: then a client need not ask again
   */
  serve(c: Context, { status = 200, immutable = false } = {}): Response {
    // A PNG is compressed already.
    const encoding = this.#type === "image/png" ? undefined : acceptedEncoding(c);
    const headers = new Headers({
      etag: encoding ? `W/${this.etag}` : this.etag,
      "cache-control": immutable ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
    });
    if (status === 200 && isKnown(c.req.header("if-none-match"), this.etag)) {
      return new Response(null, { status: 304, headers });
    }
    headers.set("content-type", this.#type);
    if (encoding) headers.set("content-encoding", encoding);
    return new Response(encoding ? this.#compress(encoding) : this.#bytes, { status, headers });
  }

  #compress(encoding: Encoding): Uint8Array<ArrayBuffer> {
    let compressed = this.#compressed.get(encoding);
    if (!compressed) this.#compressed.set(encoding, compressed = compress(this.#bytes, encoding, SMALL));
    return compressed;
  }
}

/** As RFC 9110 compares for `If-None-Match`: whether the tag is weak makes no difference. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, ""))) ?? false;
}
