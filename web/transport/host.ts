/** What can't be in an authority, and would make the rest of it a path, a query or a user. */
const NO_AUTHORITY = /[\s/?#@\\]/;

/** Paths that monitors may ask for by any name, mostly an address of the machine: `HOSTS` does not apply. */
export const FOR_MONITORS = ["/healthz", "/readyz", "/metrics"];

/**
 * The names by which a request asks for this server: the one in its URL, and that in its `Host` header if it is another
 * one. They are normalised: lower case, an international name in its ASCII form, without port and final dot.
 * @returns undefined if its address is no URL, or its `Host` no host: such a request must be refused
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

/** A name as DNS has it, in its ASCII form, or an IPv6 address; an IPv4 address looks like a name. */
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.(?!$)|$)){1,127}$|^\[[0-9a-f:.]+\]$/;

/** Normalises a host name; undefined for other texts, and with a port. */
export function hostName(text: string): string | undefined {
  if (NO_AUTHORITY.test(text) || /^[^[]*:|]:/.test(text)) return undefined;
  const name = withoutFinalDot(URL.parse(`http://${text}`)?.hostname ?? "");
  return HOST_NAME.test(name) ? name : undefined;
}

function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
