/** Counts what goes over the wire while a page loads, from the events of Chromium's `Network` domain. */
import type { BrowserEvent } from "./browser.ts";

/** What this reads of the events. Times are seconds of one monotonic clock. */
interface Params {
  requestId: string;
  timestamp: number;
  /** Seconds since 1970. */
  wallTime: number;
  request?: { url: string };
  redirectResponse?: { encodedDataLength: number };
  encodedDataLength: number;
  response: {
    encodedDataLength: number;
    fromDiskCache?: boolean;
    fromServiceWorker?: boolean;
    fromPrefetchCache?: boolean;
    /** Of a socket's handshake. */
    headersText?: string;
    /** Of a socket's frame: text, or Base64 of what is binary. */
    payloadData: string;
    opcode: number;
  };
}

/** Who gets the bytes: the page's own document, any other file or call, or a socket. */
export type Kind = "document" | "files" | "socket";

interface Request {
  kind: Kind;
  start: number;
  cached: boolean;
  /** Bytes that came, headers too, and when. */
  came: { timestamp: number; bytes: number }[];
}

export interface Sums {
  /** Requests that went over the wire, a socket's handshake among them; what a cache answered is none. */
  requests: number;
  /** Bytes that came, by what they were for. */
  bytes: Record<Kind, number>;
}

/** Bytes of a WebSocket frame's head, as a server sends it. */
function frameHead(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}
const BINARY = 2;

export class Traffic {
  readonly #requests = new Map<string, Request>();
  /** What a timestamp must be added to become seconds since 1970. */
  #offset = 0;
  /** The address that is visited. */
  #page = "";
  /** When something last went or came, on the clock of `performance.now()`. */
  last = performance.now();

  take({ method, params }: BrowserEvent): void {
    if (!method.startsWith("Network.")) return;
    this.last = performance.now();
    const event = params as unknown as Params;
    // The same in whichever session tells of it: a page asks for a worker, and the worker tells that it has come.
    const key = event.requestId;
    const request = this.#requests.get(key);
    switch (method) {
      case "Network.requestWillBeSent": {
        const { url } = event.request!;
        if (!/^https?:/.test(url)) return;
        // A request that is redirected keeps its id.
        if (request && event.redirectResponse) {
          this.#requests.set(`${key} ${this.#requests.size}`, request);
          add(request, event.timestamp, event.redirectResponse.encodedDataLength);
        }
        if (this.#requests.size === 0) {
          this.#offset = event.wallTime - event.timestamp;
          this.#page = url;
        }
        // A service worker may ask for the page in the page's place.
        const kind = url === this.#page ? "document" : "files";
        this.#requests.set(key, { kind, start: event.timestamp, cached: false, came: [] });
        return;
      }
      case "Network.webSocketWillSendHandshakeRequest":
        this.#requests.set(key, { kind: "socket", start: event.timestamp, cached: false, came: [] });
        return;
      case "Network.requestServedFromCache":
        if (request) request.cached = true;
        return;
      case "Network.responseReceived": {
        const { fromDiskCache, fromServiceWorker, fromPrefetchCache, encodedDataLength } = event.response;
        // Nothing tells that a service worker's own file is asked for.
        const { kind, start, came } = request ?? { kind: "files", start: event.timestamp, came: [] };
        const cached = Boolean(request?.cached || fromDiskCache || fromServiceWorker || fromPrefetchCache);
        this.#requests.set(key, { kind, start, cached, came });
        add(this.#requests.get(key), event.timestamp, encodedDataLength);
        return;
      }
      case "Network.dataReceived":
        add(request, event.timestamp, event.encodedDataLength);
        return;
      case "Network.loadingFinished":
        // The sum, which has what was told to nobody in parts.
        add(request, event.timestamp, event.encodedDataLength - bytesOf(request));
        return;
      case "Network.webSocketHandshakeResponseReceived":
        add(request, event.timestamp, event.response.headersText?.length ?? 0);
        return;
      case "Network.webSocketFrameReceived": {
        const { opcode, payloadData } = event.response;
        const length = opcode === BINARY ? payloadData.length * 3 / 4 : new TextEncoder().encode(payloadData).length;
        add(request, event.timestamp, length + frameHead(length));
      }
    }
  }

  /** All that went and came until then. @param time milliseconds since 1970 */
  until(time = Infinity): Sums {
    const end = time / 1000 - this.#offset;
    const sums: Sums = { requests: 0, bytes: { document: 0, files: 0, socket: 0 } };
    for (const request of this.#requests.values()) {
      if (request.cached || request.start > end) continue;
      sums.requests++;
      sums.bytes[request.kind] += bytesOf(request, end);
    }
    return sums;
  }
}

function add(request: Request | undefined, timestamp: number, bytes: number): void {
  if (bytes !== 0) request?.came.push({ timestamp, bytes });
}

function bytesOf(request: Request | undefined, end = Infinity): number {
  let sum = 0;
  for (const { timestamp, bytes } of request?.came ?? []) if (timestamp <= end) sum += bytes;
  return sum;
}
