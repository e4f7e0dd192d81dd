import { isIPv4 } from "node:net";

/** Headers in which proxies say for whom they ask. Without a trusted proxy, clients may have written them. */
const FORWARDING = ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded"];
/** What is logged once when such a header comes and no proxy is trusted. */
const DISTRUST =
  "A forwarding header came, and was ignored: TRUST_PROXY is 0. If a proxy of yours stands in front, set it to the " +
  "number of proxies; until then all who come through it share the limits of one address.";
/** Most characters of an address with a port; longer texts are none. */
const ADDRESS_LENGTH = 64;

/** Finds out where requests come from, behind the trusted proxies. */
export class TrustedProxies {
  readonly #hops: number;
  #warn: ((sentence: string) => void) | undefined;

  /**
   * @param hops proxies in front, each of which adds its client to `X-Forwarded-For`; 0: none, the header is ignored
   * @param warn called once, with a sentence for the operator, when such a header comes and `hops` is 0
   */
  constructor(hops: number, warn: (sentence: string) => void) {
    this.#hops = hops;
    this.#warn = warn;
  }

  /**
   * Where a request comes from, as a key for limits and bans: an IPv4 address, or the /64 of an IPv6 address, which one
   * household has for itself. Proxies are counted from the right: what is further left was written by the client.
   * @param peer the other end of the connection, as `Deno.serve` gives it
   */
  addressKey(request: Request, peer: Deno.Addr): string {
    const direct = "hostname" in peer ? (keyOf(peer.hostname) ?? peer.hostname) : "local";
    if (this.#hops === 0) {
      if (this.#warn && FORWARDING.some((name) => request.headers.has(name))) {
        this.#warn(DISTRUST);
        this.#warn = undefined;
      }
      return direct;
    }
    const forwarded = request.headers.get("x-forwarded-for")?.split(",").at(-this.#hops);
    return (forwarded && keyOf(forwarded.trim())) || direct;
  }

  /** Whether the browser uses TLS. */
  isSecure(request: Request): boolean {
    if (request.url.startsWith("https:")) return true;
    if (this.#hops === 0) return false;
    const schemes = request.headers.get("x-forwarded-proto")?.split(",");
    // Most proxies set this header instead of adding to it.
    return (schemes?.at(-this.#hops) ?? schemes?.[0])?.trim() === "https";
  }
}

/** Whether a key is that of this machine. */
export function isLoopback(key: string): boolean {
  return key.startsWith("127.") || key === "::1" || key === "local";
}

/**
 * Whether a request comes from this machine, and not from a proxy on it for someone else. The requested name must be
 * this machine's too: a page of another origin can have its own name lead here.
 */
export function isDirectLocal(request: Request, peer: Deno.Addr): boolean {
  const isLocal = (host: string) => host === "localhost" || isLoopback(keyOf(host) ?? "");
  return (!("hostname" in peer) || isLocal(peer.hostname)) && isLocal(new URL(request.url).hostname) &&
    ![...FORWARDING, "via"].some((name) => request.headers.has(name));
}

/** The network of an address, which logs may show: it is larger than a household. */
export function networkOf(key: string): string {
  if (isIPv4(key)) return `${key.slice(0, key.lastIndexOf("."))}.0/24`;
  if (!key.endsWith("/64")) return key;
  return `${key.split(":").slice(0, 3).join(":")}::/48`;
}

/** The key of an address, which may have a port; undefined for other texts. */
function keyOf(text: string): string | undefined {
  if (text.length > ADDRESS_LENGTH) return undefined;
  if (isIPv4(text)) return text;
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const address = bracketed ?? (/^[^:]*:\d+$/.test(text) ? text.slice(0, text.indexOf(":")) : text);
  if (isIPv4(address)) return address;
  // The URL parser normalises IPv6 addresses; a zone (`fe80::1%eth0`) means something on this machine only.
  const written = URL.parse(`http://[${address.replace(/%.*$/, "")}]`)?.hostname.slice(1, -1);
  if (written === undefined || written === "::1") return written;
  const [left, right] = written.split("::").map((half) => half === "" ? [] : half.split(":"));
  const groups = right ? [...left, ...Array(8 - left.length - right.length).fill("0"), ...right] : left;
  // An IPv4 address mapped to IPv6 (::ffff:1.2.3.4), as sockets that listen for both give it.
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff") {
    return groups.slice(6).map((group) => Number.parseInt(group, 16)).flatMap((n) => [n >> 8, n & 255]).join(".");
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
