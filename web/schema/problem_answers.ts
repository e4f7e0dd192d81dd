/** The answers that are problems, as the description has them: the same for all routes. */

interface ProblemAnswer {
  /** What the description calls it. */
  name: string;
  description: string;
  /** By name, with what they tell. */
  headers?: Record<string, string>;
}

const retryAfter = { "Retry-After": "Seconds after which to try again." };

/** By status, in words that fit wherever it is answered. */
const PROBLEM_ANSWERS = {
  400: { name: "BadRequest", description: "This is not what is taken here, or the Host header is no host name." },
  401: {
    name: "Unauthorized",
    description: "The token is no good, or none came and one is needed.",
    headers: { "WWW-Authenticate": "Bearer." },
  },
  403: { name: "Forbidden", description: "You may not do this, or the page that asks may not: see ALLOWED_ORIGINS." },
  404: { name: "NotFound", description: "There is no such thing, or not for you." },
  409: { name: "Conflict", description: "Someone else has this name." },
  413: { name: "ContentTooLarge", description: "The body has more bytes than are taken." },
  415: { name: "UnsupportedMediaType", description: "The body does not say that it is JSON." },
  421: { name: "MisdirectedRequest", description: "HOSTS is set, and the name that was asked for is not in it." },
  422: { name: "UnprocessableContent", description: "No room or nobody can have this name, or no message this text." },
  426: {
    name: "UpgradeRequired",
    description: "This address takes WebSocket connections only.",
    headers: { Upgrade: "websocket." },
  },
  429: {
    name: "TooManyRequests",
    description: "Too much at once, from you or from your address, or too many answers to it are still under way.",
    headers: retryAfter,
  },
  503: {
    name: "Unavailable",
    description: "The server is restarting, or its store does not answer. What was sent may have been kept.",
    headers: retryAfter,
  },
  default: { name: "Problem", description: "What was asked was not done, and why." },
} satisfies Record<number | "default", ProblemAnswer>;

/** One of its own, or `default`: any that is not described. */
export type ProblemStatus = keyof typeof PROBLEM_ANSWERS;

/** What an operation has at a status, for each of these. */
export function problemReferences(statuses: readonly ProblemStatus[]): Record<string, { $ref: string }> {
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${PROBLEM_ANSWERS[status].name}` }]),
  );
}

/** All that `problemReferences` refers to. */
export function problemComponents(): Record<string, unknown> {
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return Object.fromEntries(
    Object.values<ProblemAnswer>(PROBLEM_ANSWERS).map(({ name, description, headers }) => [
      name,
      { description, headers: headersOf(headers), content },
    ]),
  );
}

/** Headers of an answer, all of them texts; undefined where it has none. */
export function headersOf(headers: Record<string, string> | undefined): Record<string, unknown> | undefined {
  return headers && Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
  );
}
