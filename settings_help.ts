/** What whoever starts the server is told of its settings: all of them, and which one was meant. */
import { closest, distance } from "fastest-levenshtein";
import { SETTING_NAMES, type Settings } from "./settings.ts";

/** What each one is and, in brackets, what it is unless set; `docs/settings.md` says more. */
const WORDS: Record<keyof Settings, string> = {
  PORT: "where it listens; 0 takes any free port (8000)",
  HOST: "the address it listens on (0.0.0.0: every interface)",
  BASE_PATH: "the path below which it is on its host, such as /chat (none)",
  HOSTS: "names under which it is reached, with commas between them (any)",
  WORKERS: "isolates that share the port, on several cores (1)",
  DATABASE_URL: "where words are kept: sqlite:PATH, memory:, redis://HOST, kv: (sqlite:data/chat.db)",
  SECRET: "signs people's tokens (made once, kept with the words)",
  ALLOWED_ORIGINS: "pages of other sites that may connect, with commas between them (none)",
  TRUST_PROXY: "proxies in front whose forwarding headers may be believed (0)",
  TEXT_LIMIT: "code points of one message (4000)",
  HISTORY_MESSAGES: "messages that each room keeps; 0 keeps all (0; with memory: 10000)",
  HISTORY_DAYS: "days that they are kept; 0 keeps them for ever (0)",
  ADMIN_TOKEN: "what whoever moderates must enter, 16 characters or more (nobody can)",
  METRICS_TOKEN: "what whoever reads /metrics must send (only this machine may read)",
  AUTH_JWKS_URL: "where the public keys of your accounts are (anyone may come)",
  AUTH_JWT_SECRET: "in its place a secret that both sides know, 32 characters or more",
  AUTH_ISSUER: "iss of the tokens that are taken",
  AUTH_AUDIENCE: "aud of the tokens that are taken",
  AUTH_LOGIN_URL: "where the page sends people who have to sign in",
  MESSAGE_RATE: "messages of a person a second; here as below 0 is no limit (5)",
  MESSAGE_BURST: "so many at once (30)",
  JOINS_PER_MINUTE: "rooms that a person joins (60)",
  RENAMES_PER_MINUTE: "names that a person chooses (10)",
  SIGNALS_PER_MINUTE: "typing, ping and leave_room of a person (120)",
  READS_PER_MINUTE: "pages of history that a person reads over HTTP (600)",
  MALFORMED_PER_MINUTE: "frames of a person that make no sense (30)",
  NEWCOMERS_PER_MINUTE: "new people from one address (60)",
  CONNECTIONS_PER_IP: "connections from one address (200)",
  ROOMS_PER_CONNECTION: "rooms that one connection is in, 1 or more (50)",
  ROOMS_IN_MEMORY: "rooms that somebody is in at a time (10000)",
  FRAME_LIMIT: "bytes of a frame, 1024 or more (65536)",
  DENO_DEPLOYMENT_ID: "not for you: Deno Deploy sets it",
};

/** What `--help` prints. */
export function help(): string {
  const width = Math.max(...SETTING_NAMES.map(({ length }) => length));
  const rows = Object.entries(WORDS).map(([name, words]) => `  ${name.padEnd(width)}  ${words}`);
  return [
    "Parley: a chat room that you own. Settings come from the environment, all of them optional, as in",
    "",
    "  PORT=9000 HISTORY_DAYS=30 npx -y deno task start",
    "",
    ...rows,
    "",
    "docs/settings.md says more, and a running server at /docs what it speaks.",
  ].join("\n");
}

/**
 * Which settings were meant by names that are none, in a sentence each: those that differ by a few letters
 * (`TRUST_PROXIES`) or by their order (`PROT`), are written small, or begin with `PARLEY_`.
 * @param names all that the environment has
 */
export function misspelt(names: readonly string[]): string[] {
  const meant = SETTING_NAMES.filter((name) => name !== "DENO_DEPLOYMENT_ID");
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
