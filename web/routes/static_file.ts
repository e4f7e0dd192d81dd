import { createHash } from "node:crypto";

/** A file that does not change while this server runs, so that clients need to load it only once. */
export interface StaticFile {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  etag: string;
}

export function staticFile(text: string, type: string): StaticFile {
  const bytes = new TextEncoder().encode(text);
  return { bytes, type, etag: `"${createHash("sha256").update(bytes).digest("base64url")}"` };
}

/** The file, or 304 if the client has it. */
export function serveFile({ bytes, type, etag }: StaticFile, request: Request, status = 200): Response {
  const headers = { etag, "cache-control": "no-cache" };
  if (status === 200 && isKnown(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes, { status, headers: { ...headers, "content-type": type } });
}

/** As RFC 9110 compares for `If-None-Match`: a proxy that compresses makes a weak tag of ours. */
function isKnown(header: string | null, etag: string): boolean {
  return header?.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, ""))) ?? false;
}
