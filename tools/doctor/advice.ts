/** What to change in which proxy. All of it was tried: the fault shown, this done, and the fault was gone. */

export type ProxyName = "nginx" | "Caddy" | "HAProxy";

export type Fault = "upgrades" | "host" | "buffering" | "compression" | "idle" | "forwarding";

/** Each is the end of a sentence that begins with "In nginx". A proxy that can't be at fault has none. */
const ADVICE: Record<Fault, Partial<Record<ProxyName, string>>> = {
  upgrades: {
    nginx: "set proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection upgrade",
    Caddy:
      "nothing is needed for them: take out versions h2c, buffer_responses (or response_buffers), and header_up lines about Upgrade",
    HAProxy: "nothing is needed for them but mode http: take out proto h2, and del-header lines about Upgrade",
  },
  host: {
    nginx: "set proxy_set_header Host $http_host, where the other proxy_set_header lines are",
    Caddy: "take out header_up Host",
    HAProxy: "take out http-request set-header Host",
  },
  buffering: {
    nginx: "set proxy_buffering off",
    Caddy: "take out buffer_responses, or response_buffers as newer ones call it",
    HAProxy: "take out http-response wait-for-body",
  },
  compression: {
    nginx: "set proxy_buffering off",
    Caddy: "leave streams out of encode: @compress not path */events in a line of its own, then encode @compress gzip",
  },
  idle: {
    nginx: "set proxy_read_timeout 1h",
    Caddy: "take out read_timeout",
    HAProxy: "set timeout tunnel 1h for sockets, timeout client 1m and timeout server 1m for streams",
  },
  forwarding: {
    nginx:
      "set proxy_set_header X-Forwarded-Proto $scheme and proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
    Caddy: "nothing is needed for them",
    HAProxy: "set option forwardfor and http-request set-header X-Forwarded-Proto https if { ssl_fc }",
  },
};

const SIGNS: [ProxyName, RegExp][] = [["nginx", /nginx|openresty/i], ["Caddy", /caddy/i], ["HAProxy", /haproxy/i]];

/** Which proxies an answer says that it came through. HAProxy says nothing unless it is told to. */
export function proxiesIn(headers: Headers): ProxyName[] {
  const said = `${headers.get("server") ?? ""} ${headers.get("via") ?? ""}`;
  return SIGNS.filter(([, sign]) => sign.test(said)).map(([name]) => name);
}

/** What to do about a fault, as a sentence: in the proxies that were seen, or in each where none was. */
export function adviceOn(fault: Fault, seen: ReadonlySet<ProxyName>): string {
  const all = Object.entries(ADVICE[fault]);
  const fitting = all.filter(([name]) => seen.has(name as ProxyName));
  const clauses = (fitting.length > 0 ? fitting : all).map(([name, what]) => `in ${name} ${what}`);
  return `I${clauses.join("; ").slice(1)}.`;
}
