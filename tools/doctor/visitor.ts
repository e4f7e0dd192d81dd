import { Duplex } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import type { Clock } from "../../chat/clock.ts";
import { proxiesIn, type ProxyName } from "./advice.ts";

/** Characters: far more than anything that Parley answers. */
const LONGEST = 4_000_000;

/** What browsers take: a proxy compresses only for whom asks for it. */
const ENCODINGS = "gzip, deflate, br, zstd";

export interface VisitorOptions {
  /** Where the page is. A path in it is where the whole chat is. */
  address: URL;
  /** Milliseconds to wait for what must come. */
  timeout: number;
  clock: Clock;
}

export interface Asking {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

/** Nothing came back, or not in time. */
export class Unanswered extends Error {}

/** Asks as the page in a browser does: with its origin, its cookie, and what browsers add by themselves. */
export class Visitor {
  /** Ends with a slash, so that what is asked for can be told from there. */
  readonly base: URL;
  readonly timeout: number;
  readonly clock: Clock;
  /** The proxies that have shown themselves so far. */
  readonly seen = new Set<ProxyName>();
  cookie: string | undefined;
  /** The longest message that the server takes, in code points. */
  textLimit = Infinity;
  /** Absent: it comes as a script does. */
  origin: string | undefined;

  constructor({ address, timeout, clock }: VisitorOptions) {
    this.base = new URL(address.pathname.replace(/\/*$/, "/"), address.origin);
    this.origin = address.origin;
    this.timeout = timeout;
    this.clock = clock;
  }

  /**
   * Asks, and reads the whole answer.
   * @param path from where the page is, without a slash at its front
   * @throws {Unanswered}
   */
  async ask(path: string, asking: Asking = {}): Promise<Answer> {
    const given = new AbortController();
    let late = false;
    let giveUp: () => unknown = () => given.abort();
    const cancel = this.clock.after(this.timeout, () => {
      late = true;
      giveUp();
    });
    try {
      const { status, headers, body } = await this.open(path, asking, given.signal).then(plain);
      const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
      // Once the head is there, aborting does not always end the reading: in Deno 2.9.6 one in a few stayed.
      giveUp = () => reader?.cancel();
      let text = "";
      for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
        text += piece.value;
        if (text.length > LONGEST) {
          await reader?.cancel();
          throw new Error("its answer has no end");
        }
      }
      if (late) throw new Error();
      return { status, headers, body: text };
    } catch (error) {
      throw new Unanswered(late ? `nothing in ${this.timeout / 1000} s` : innermost(error as Error).message);
    } finally {
      cancel();
    }
  }

  /** Asks, and leaves the answer to be read. */
  async open(path: string, { method = "GET", headers, body }: Asking, signal: AbortSignal): Promise<Response> {
    const all = new Headers({
      "accept": "*/*",
      "accept-encoding": ENCODINGS,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
      ...headers,
    });
    // A browser names its page's origin in a POST, and leaves it out of a GET to where the page is from.
    if (method === "POST" && this.origin !== undefined) all.set("origin", this.origin);
    if (this.cookie !== undefined) all.set("cookie", this.cookie);
    const response = await fetch(new URL(path, this.base), { method, headers: all, body, signal, redirect: "manual" });
    for (const name of proxiesIn(response.headers)) this.seen.add(name);
    return response;
  }
}

/** The same without what compressed it on the way; `fetch` takes away gzip and Brotli by itself. */
export function plain(response: Response): Response {
  const decoder = decoderOf(response.headers.get("content-encoding"));
  return response.body && decoder ? new Response(response.body.pipeThrough(decoder), response) : response;
}

function decoderOf(encoding: string | null) {
  if (encoding === "deflate") return new DecompressionStream("deflate");
  if (encoding !== "zstd") return undefined;
  return Duplex.toWeb(createZstdDecompress()) as TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
}

/** The server's own words, or undefined where somebody else answered. */
export function problemIn(body: string): { detail: string } | undefined {
  try {
    const problem = JSON.parse(body);
    return typeof problem?.code === "string" && typeof problem.detail === "string" ? problem : undefined;
  } catch {
    return undefined;
  }
}

/** What "fetch failed" is about. */
function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
