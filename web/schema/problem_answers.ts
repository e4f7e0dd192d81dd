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
  400: { name: "BadRequest", description: "The request is not valid, or its Host header is not a host name." },
  401: {
    name: "Unauthorized",
    description: "The token is not valid, or a token is needed and none was sent.",
    headers: { "WWW-Authenticate": "Bearer." },
  },
  403: {
    name: "Forbidden",
    description: "You are not allowed to do this, or the page that asks is not: see ALLOWED_ORIGINS.",
  },
  404: { name: "NotFound", description: "There is no such thing, or not for you." },
  409: { name: "Conflict", description: "Someone else has this name, or the message has enough different reactions." },
  413: { name: "ContentTooLarge", description: "The body is too large." },
  415: { name: "UnsupportedMediaType", description: "The body does not say that it is JSON." },
  421: { name: "MisdirectedRequest", description: "HOSTS is set, and the name that was asked for is not in it." },
  422: { name: "UnprocessableContent", description: "This name, this text or this emoji is not allowed." },
  426: {
    name: "UpgradeRequired",
    description: "This address takes WebSocket connections only.",
    headers: { Upgrade: "websocket." },
  },
  429: {
    name: "TooManyRequests",
    description: "Too many requests from you or from your address, or too many answers to it are not read yet.",
    headers: retryAfter,
  },
  503: {
    name: "Unavailable",
    description: "The server is restarting, or its store does not answer. What was sent may have been stored.",
    headers: retryAfter,
  },
  default: { name: "Problem", description: "The request was refused, and why." },
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
