/** What can't stand in an authority, and would make a path, a query or a person of the rest of it. */
const NO_AUTHORITY = /[\s/?#@\\]/;

/** What monitors ask for by whatever name they know: an address of the machine, mostly. `HOSTS` does not count here. */
export const FOR_MONITORS = ["/healthz", "/readyz", "/metrics"];

/**
 * The names by which a request asks for this server: the one in its address, and that of its `Host` header where it is
 * another one. As `hostName` gives them: lower case, an international name in its ASCII form, without port and final dot.
 * @returns undefined where its address is no URL, or its `Host` no host: nothing may be made of such a request
 */
export function namesAskedFor(request: Request): string[] | undefined {
  const url = URL.parse(request.url);
  const header = request.headers.get("host") ?? "";
  if (!url || NO_AUTHORITY.test(header)) return undefined;
  const names = [withoutFinalDot(url.hostname)];
  if (header !== "" && header !== url.host) {
    const named = URL.parse(`http://${header}`);
    if (!named) return undefined;
    names.push(withoutFinalDot(named.hostname));
  }
  return names;
}

/** What DNS takes for a name, in its ASCII form, or an IPv6 address; an IPv4 address has that form too. */
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.(?!$)|$)){1,127}$|^\[[0-9a-f:.]+\]$/;

/** A host name in its one form; undefined for what is none, or has a port. */
export function hostName(text: string): string | undefined {
  if (NO_AUTHORITY.test(text) || /^[^[]*:|]:/.test(text)) return undefined;
  const name = withoutFinalDot(URL.parse(`http://${text}`)?.hostname ?? "");
  return HOST_NAME.test(name) ? name : undefined;
}

function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
