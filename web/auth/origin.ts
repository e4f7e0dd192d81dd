/** What a page of another origin is told, and a program that sends an `Origin` header. */
export const FOREIGN_PAGE = "This page may not call here: add its origin to ALLOWED_ORIGINS. " +
  "A program that is no page leaves the Origin header out.";

/**
 * Whether a request comes from a page that may act for the person: this server's own, or an allowed one. No `Origin`
 * means no browser, and so no cookies to be misused. Schemes are not compared, because a proxy that ends TLS makes
 * https look like http here.
 * @param allowed whole origins, such as `https://example.com`
 */
export function originAllowed(request: Request, allowed: readonly string[]): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  if (allowed.includes(origin)) return true;
  const { host } = URL.parse(origin) ?? {};
  // HTTP/2, which some proxies speak to the server, has the host in the address only.
  const asked = request.headers.get("host") ?? new URL(request.url).host;
  return host !== undefined && host !== "" && host === withoutDefaultPort(asked, origin);
}

/** What a browser accepts when it opens a page or loads an image, neither of which a stream is. */
const FOR_SHOWING = /(?:^|[\s,])(?:text\/html|image\/)/i;

/**
 * The same for a GET with an effect: opening an event stream makes a member. Browsers send no `Origin` if another page
 * links to it, opens it or uses it as an image; over TLS and on this machine they say in `Sec-Fetch-Site` from where
 * such a request comes.
 */
export function mayListen(request: Request, allowed: readonly string[]): boolean {
  const { headers } = request;
  const isOwn = headers.has("origin")
    ? originAllowed(request, allowed)
    : ["same-origin", "none", null].includes(headers.get("sec-fetch-site"));
  return isOwn && !FOR_SHOWING.test(headers.get("accept") ?? "");
}

/** Removes the default port of the scheme, which `Host` may have and `Origin` has not. */
function withoutDefaultPort(host: string, origin: string): string | undefined {
  return URL.parse(`${origin.slice(0, origin.indexOf(":"))}://${host}`)?.host;
}
