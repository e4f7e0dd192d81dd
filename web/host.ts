/** What can't stand in an authority, and would make a path, a query or a person of the rest of it. */
const NO_AUTHORITY = /[\s/?#@\\]/;

/**
 * The names by which a request asks for this server: the one in its address, and that of its `Host` header where it is
 * another one. Lower case, an international name in its ASCII form, without port and final dot.
 * @returns undefined where its address is no URL, or its `Host` no host: nothing may be made of such a request
 */
export function requestedHosts(request: Request): string[] | undefined {
  const header = request.headers.get("host") ?? "";
  const asked = [request.url];
  if (header !== "") asked.push(`http://${header}`);
  const urls = NO_AUTHORITY.test(header) ? [null] : asked.map((address) => URL.parse(address));
  const names = urls.flatMap((url) => url ? [withoutFinalDot(url.hostname)] : []);
  return names.length === urls.length ? names : undefined;
}

/** What DNS takes for a name, in its ASCII form, or an IPv6 address; an IPv4 address has that form too. */
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.(?!$)|$)){1,127}$|^\[[0-9a-f:.]+\]$/;

/** A host name as `requestedHosts` gives it; undefined for what is none, or has a port. */
export function hostName(text: string): string | undefined {
  if (NO_AUTHORITY.test(text) || /^[^[]*:|]:/.test(text)) return undefined;
  const name = withoutFinalDot(URL.parse(`http://${text}`)?.hostname ?? "");
  return HOST_NAME.test(name) ? name : undefined;
}

function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
