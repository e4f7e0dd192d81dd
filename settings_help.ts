/** What whoever starts the server is told of its settings: all of them, and which one was meant. */
import { closest, distance } from "fastest-levenshtein";
import { SETTING_NAMES, type Settings } from "./settings.ts";

/** A setting that somebody who starts a server may want to set: Deno Deploy sets the other one itself. */
type OwnSetting = Exclude<keyof Settings, "DENO_DEPLOYMENT_ID">;

/**
 * What each one is and, in brackets, what it is unless set. `docs/settings.md` says more, in the same order, and tests
 * compare the two.
 */
const GENERAL = {
  PORT: "the port it listens on; 0 takes any free port (8000)",
  HOST: "the address it listens on (0.0.0.0: every interface)",
  WORKERS: "isolates that share the port, to use several cores (1)",
  DATABASE_URL: "where messages are stored: sqlite:PATH, memory:, redis://HOST, kv: (sqlite:data/chat.db)",
  SECRET: "signs people's tokens (made once, kept beside the database)",
  ALLOWED_ORIGINS: "pages of other sites that may connect, with commas between them (none)",
  HOSTS: "host names under which it is reached, with commas between them (any)",
  BASE_PATH: "the path below which it is on its host, such as /chat (none)",
  AUTH_JWKS_URL: "where the public keys of your accounts are (anyone may come)",
  AUTH_JWT_SECRET: "instead of it, a secret that both sides know, 32 characters or more",
  AUTH_ISSUER: "the iss of the tokens that are accepted",
  AUTH_AUDIENCE: "the aud of the tokens that are accepted",
  AUTH_LOGIN_URL: "where the page sends people who have to sign in",
  TRUST_PROXY: "how many proxies in front set forwarding headers that can be trusted (0)",
  TEXT_LIMIT: "code points of one message, up to 20000 (4000)",
  HISTORY_MESSAGES: "messages that each room keeps; 0 keeps all (0; with memory: 10000)",
  HISTORY_DAYS: "days that they are kept; 0 keeps them for ever (0)",
  ADMIN_TOKEN: "what moderators must enter, 16 characters or more (nobody can moderate)",
  METRICS_TOKEN: "what must be sent to read /metrics, 16 characters or more (only this machine may read)",
};
const RATE_LIMITS = {
  MESSAGE_RATE: "entries (messages, edits, deletions) of a person a second (5; 0: no limit)",
  MESSAGE_BURST: "how many of them at once (30; 0: no limit)",
  JOINS_PER_MINUTE: "rooms that a person joins (120; 0: no limit)",
  RENAMES_PER_MINUTE: "names that a person chooses (10; 0: no limit)",
  SIGNALS_PER_MINUTE: "typing, ping and leave_room of a person (120; 0: no limit)",
  READS_PER_MINUTE: "pages and history that a person reads over HTTP, searches as five (600; 0: no limit)",
  MALFORMED_PER_MINUTE: "frames of a person that make no sense (30; 0: no limit)",
  NEWCOMERS_PER_MINUTE: "new people from one address (60; 0: no limit)",
  CONNECTIONS_PER_IP: "connections from one address (200; 0: no limit)",
  ROOMS_PER_CONNECTION: "rooms that one connection is in, 1 or more (50)",
  ROOMS_IN_MEMORY: "rooms that somebody is in at a time (10000; 0: no limit)",
  FRAME_LIMIT: "bytes of a frame, 1024 or more (65536; more with a larger TEXT_LIMIT)",
};

const WORDS: Record<OwnSetting, string> = { ...GENERAL, ...RATE_LIMITS };

/** What `--help` prints. */
export function help(): string {
  const width = Math.max(...SETTING_NAMES.map(({ length }) => length));
  const rows = (settings: Record<string, string>) =>
    Object.entries(settings).map(([name, words]) => `  ${name.padEnd(width)}  ${words}`);
  return [
    "Parley: a chat room that you own. Settings come from the environment, all of them optional, as in",
    "",
    "  PORT=9000 HISTORY_DAYS=30 npx -y deno task start",
    "",
    "What each setting is and, in brackets, what it is unless set:",
    "",
    ...rows(GENERAL),
    "",
    "Rate limits:",
    "",
    ...rows(RATE_LIMITS),
    "",
    "docs/settings.md says more. A running server describes its protocol at /docs.",
  ].join("\n");
}

/**
 * Which settings were meant by names that are none, in a sentence each: those that differ by a few letters
 * (`TRUST_PROXIES`) or by their order (`PROT`), are written small, or begin with `PARLEY_`.
 * @param names all that the environment has
 */
export function misspelt(names: readonly string[]): string[] {
  const meant = Object.keys(WORDS);
  return names.filter((name) => !SETTING_NAMES.includes(name)).flatMap((name) => {
    const bare = name.toUpperCase().replace(/^PARLEY_(?!PORT$|HOST$)/, "");
    const near = closest(bare, meant);
    const isNear = bare[0] === near[0] && distance(bare, near) <= lettersOff(near) ||
      lettersOf(bare) === lettersOf(near);
    if (!isNear || names.includes(near)) return [];
    return [`${name} is no setting, and is ignored. ${near} may be meant: see --help.`];
  });
}

/** Of short names others are near that mean something else, such as `HOME`. Kubernetes itself sets `PARLEY_PORT`. */
function lettersOff({ length }: string): number {
  return length < 5 ? 0 : length < 10 ? 1 : 3;
}

function lettersOf(name: string): string {
  return [...name].sort().join("");
}
