/** What a page elsewhere is told, and a program that says that it is one. */
export const FOREIGN_PAGE = "This page may not call here: add its origin to ALLOWED_ORIGINS. " +
  "A program that is no page leaves the Origin header out.";

/**
 * Whether a request comes from a page that may speak for the person: this server's own, or one of those allowed.
 * No `Origin` means no browser, which has no cookies to be misused. Schemes are not compared, because a proxy that ends
 * TLS makes https look like http here.
 * @param allowed whole origins, such as `https://example.com`
 */
export function originAllowed(request: Request, allowed: readonly string[]): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  if (allowed.includes(origin)) return true;
  const { host } = URL.parse(origin) ?? {};
  // HTTP/2, as some proxies speak it to what is behind them, has the host in the address only.
  const asked = request.headers.get("host") ?? new URL(request.url).host;
  return host !== undefined && host !== "" && host === withoutDefaultPort(asked, origin);
}

/** What a page asks for when it is opened or shows an image: a stream is meant for neither. */
const FOR_SHOWING = /(?:^|[\s,])(?:text\/html|image\/)/i;

/**
 * The same for a GET that does something: opening an event stream makes its asker a member. Browsers send no `Origin`
 * when another page links to it, opens it or takes it for an image; over TLS and on this machine they say in
 * `Sec-Fetch-Site` from where such a request comes.
 */
export function mayListen(request: Request, allowed: readonly string[]): boolean {
  const { headers } = request;
  const isOwn = headers.has("origin")
    ? originAllowed(request, allowed)
    : ["same-origin", "none", null].includes(headers.get("sec-fetch-site"));
  return isOwn && !FOR_SHOWING.test(headers.get("accept") ?? "");
}

/** `Host` may name the scheme's own port, which `Origin` leaves out. */
function withoutDefaultPort(host: string, origin: string): string | undefined {
  return URL.parse(`${origin.slice(0, origin.indexOf(":"))}://${host}`)?.host;
}
