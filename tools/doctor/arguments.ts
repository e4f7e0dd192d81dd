import { parseArgs } from "node:util";
import type { Parsed } from "../wish.ts";

/** What whoever runs the doctor wants to have looked at. */
export interface Wish {
  address: URL;
  seconds: number;
  token?: string;
}

export const HELP = `Says whether a deployed chat is well, and what to change where it is not.

  deno task doctor ADDRESS [--seconds=SECONDS] [--token=TOKEN]

  ADDRESS    where the page is, with https:// or http://, and with its path if it has one
  --seconds  how long messages are sent, 10 unless told, an hour at most; with 120 it sees proxies that cut idle
             connections
  --token    where people come with your own accounts: a token of one of them

For example:

  deno task doctor https://chat.example --seconds=120

Each line tells one thing, and begins with ✓ where it is well and with ✗ where it is not. The exit code is 0 if all is
well, else 1. It talks in rooms of its own, named doctor-….`;

const USAGE = "deno task doctor https://chat.example --seconds=10 (--help tells more)";
/** Names of this machine and of a home's or a company's own network, where there is hardly ever TLS. */
const NEARBY = /^(localhost|[^.:]+|127\..+|10\..+|192\.168\..+|172\.(1[6-9]|2\d|3[01])\..+|\[.+\]|.+\.(local|lan))$/;

/** @returns what was asked for, or a sentence that says why it can't be done */
export function readArguments(words: string[]): Parsed<Wish> {
  const read = parse(words);
  if (typeof read === "string") return { mistake: read };
  const { values, positionals: [text, ...more] } = read;
  if (values.help) return "help";
  if (text === undefined) return { mistake: `Say which server: ${USAGE}` };
  if (more.length > 0) return { mistake: `One server at a time, so not also ${more.join(" ")}: ${USAGE}` };
  const address = URL.parse(text);
  if (!address || !/^https?:\/\//i.test(text)) return { mistake: withScheme(text) };
  if (values.token !== undefined && !/^[!-~]+$/.test(values.token)) {
    return { mistake: "--token has signs that no token has. Is it whole, and nothing else?" };
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 3_600)) {
    return { mistake: `--seconds is a number above 0, up to 3600, and ${values.seconds} is not: ${USAGE}` };
  }
  return { address, seconds, token: values.token };
}

function parse(words: string[]) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "10" },
        token: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    const [what] = (error as Error).message.split(". ");
    return `${what}: ${USAGE}`;
  }
}

/** What is said of an address that begins with no scheme, or with one that pages don't have. */
function withScheme(text: string): string {
  const rest = text.replace(/^[a-z]+:\/*(?!\d+(\/|$))/i, "");
  const host = /^(\[.*?\]|[^:/]*)/.exec(rest)![0];
  const secure = !/^(ws|http):/i.test(text) && (/^(wss|https):/i.test(text) || !NEARBY.test(host));
  const whole = URL.parse(`${secure ? "https" : "http"}://${rest}`);
  if (!whole || host === "") return `${text} is no address. Say which server: ${USAGE}`;
  return `The address must begin with https:// or http://. Try: deno task doctor ${whole.href.replace(/\/$/, "")}`;
}
