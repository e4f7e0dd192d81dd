/** Reads the answer to `POST /api/session`, which a client without a session asks for before it connects. */

/** Seconds. */
const LONGEST_WAIT = 60 * 60;

/** Why the server, or something in front of it, gives no session. */
export type SessionRefusal =
  /** The server takes this page for another site's. */
  | { readonly kind: "foreign_page" }
  /** Too many requests or connections come from the same address. */
  | { readonly kind: "crowded" }
  /** The server can't serve right now. */
  | { readonly kind: "not_ready" }
  /** A reason that only the server's own words explain. */
  | { readonly kind: "other"; readonly message: string }
  /** The answer is not the server's. */
  | { readonly kind: "intercepted"; readonly status: number };

export type SessionAnswer =
  | { readonly kind: "granted" }
  /** There was no answer. */
  | { readonly kind: "failed" }
  /** The person has to sign in; `loginUrl` is where, if the server knows. */
  | { readonly kind: "signed_out"; readonly loginUrl: string | null }
  /** `retryAfter` is in milliseconds. */
  | { readonly kind: "refused"; readonly refusal: SessionRefusal; readonly retryAfter: number };

/** Never rejects: a body that is incomplete or unreadable counts as intercepted. */
export async function sessionAnswer(response: Response): Promise<SessionAnswer> {
  const { status } = response;
  const body = await readBody(response);
  // A proxy may answer for itself with any status, and in JSON too.
  if (response.ok && typeof body?.user === "string") return { kind: "granted" };
  if (typeof body?.code !== "string") {
    return { kind: "refused", refusal: { kind: "intercepted", status }, retryAfter: 0 };
  }
  if (status === 401) return { kind: "signed_out", loginUrl: webAddress(body.login_url) };
  return { kind: "refused", refusal: refusalIn(status, body), retryAfter: milliseconds(body.retry_after) };
}

/** The fields of a session or of a problem. Any of them may be missing or wrong, since a proxy may have written it. */
interface Body {
  user?: unknown;
  code?: unknown;
  detail?: unknown;
  login_url?: unknown;
  retry_after?: unknown;
}

function refusalIn(status: number, { code, detail }: Body): SessionRefusal {
  if (status === 403) return { kind: "foreign_page" };
  if (code === "rate_limited") return { kind: "crowded" };
  if (code === "unavailable") return { kind: "not_ready" };
  return { kind: "other", message: typeof detail === "string" ? detail : "" };
}

/** A timer takes at most 24 days, and no client is kept out for more than an hour. */
function milliseconds(seconds: unknown): number {
  return typeof seconds === "number" && seconds > 0 ? Math.min(seconds, LONGEST_WAIT) * 1_000 : 0;
}

function webAddress(url: unknown): string | null {
  return typeof url === "string" && /^https?:/i.test(url) && URL.canParse(url) ? url : null;
}

async function readBody(response: Response): Promise<Body | null> {
  if (!/^application\/(?:problem\+)?json\b/.test(response.headers.get("content-type") ?? "")) return null;
  const value: unknown = await response.json().catch(() => null);
  return typeof value === "object" ? value : null;
}
