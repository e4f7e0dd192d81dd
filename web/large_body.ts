/**
 * A body of many kilobytes, handed over only as fast as it is taken. Of a text, or of bytes, the runtime says that the
 * answer is `completed` as soon as it has a copy of its own, though it may have to keep that for as long as it likes a
 * client that takes nothing (HTTP/2 with a window of 0).
 */
export function largeBody(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isGiven = false;
  return new ReadableStream({
    pull(controller) {
      if (isGiven) return controller.close();
      isGiven = true;
      controller.enqueue(bytes);
    },
  }, { highWaterMark: 0 });
}

const encoder = new TextEncoder();

/** Such an answer, of JSON that nobody may keep. */
export function largeJson(value: unknown): Response {
  const bytes = encoder.encode(JSON.stringify(value));
  const headers = {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "cache-control": "no-store",
  };
  return new Response(largeBody(bytes), { headers });
}
