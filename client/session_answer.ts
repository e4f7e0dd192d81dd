/** What the page makes of the answer to `POST /api/session`, which it asks before it connects. */

/** Seconds. */
const LONGEST_WAIT = 60 * 60;

/** Why there is no connection, where the server said so or something in front of it did. */
export type Refused =
  /** The server takes this page for another site's. */
  | { readonly kind: "foreign_page" }
  /** Too many come from the same address. */
  | { readonly kind: "crowded" }
  /** It can't serve right now. */
  | { readonly kind: "not_ready" }
  /** In its own words. */
  | { readonly kind: "other"; readonly message: string }
  /** It is not the server that answers. */
  | { readonly kind: "intercepted"; readonly status: number };

export type SessionAnswer =
  | { readonly kind: "granted" }
  /** There was no answer. */
  | { readonly kind: "failed" }
  /** One has to sign in; where, if the server knows. */
  | { readonly kind: "signed_out"; readonly loginUrl: string | null }
  /** `retryAfter` is in milliseconds. */
  | { readonly kind: "refused"; readonly why: Refused; readonly retryAfter: number };

/** Never rejects: a body that breaks off, or is not what it says, counts as nobody's. */
export async function sessionAnswer(response: Response): Promise<SessionAnswer> {
  const { status } = response;
  const body = await bodyOf(response);
  // What stands in front may answer for itself with any status, and in JSON too.
  if (response.ok && typeof body?.user === "string") return { kind: "granted" };
  if (typeof body?.code !== "string") {
    return { kind: "refused", why: { kind: "intercepted", status }, retryAfter: 0 };
  }
  if (status === 401) return { kind: "signed_out", loginUrl: address(body.login_url) };
  return { kind: "refused", why: why(status, body), retryAfter: milliseconds(body.retry_after) };
}

/** What it may have in it, a session or a problem; a gateway can have words of its own. */
interface Body {
  user?: unknown;
  code?: unknown;
  detail?: unknown;
  login_url?: unknown;
  retry_after?: unknown;
}

function why(status: number, { code, detail }: Body): Refused {
  if (status === 403) return { kind: "foreign_page" };
  if (code === "rate_limited") return { kind: "crowded" };
  if (code === "unavailable") return { kind: "not_ready" };
  return { kind: "other", message: typeof detail === "string" ? detail : "" };
}

/** How long to wait; no timer takes more than 24 days, and nobody is kept out for more than an hour. */
function milliseconds(seconds: unknown): number {
  return typeof seconds === "number" && seconds > 0 ? Math.min(seconds, LONGEST_WAIT) * 1_000 : 0;
}

function address(url: unknown): string | null {
  return typeof url === "string" && /^https?:/i.test(url) && URL.canParse(url) ? url : null;
}

async function bodyOf(response: Response): Promise<Body | null> {
  if (!/^application\/(?:problem\+)?json\b/.test(response.headers.get("content-type") ?? "")) return null;
  const value: unknown = await response.json().catch(() => null);
  return typeof value === "object" ? value : null;
}
