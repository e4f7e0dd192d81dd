import type { Clock } from "../../chat/clock.ts";
import { fly } from "./canaries.ts";
import { type Call, Line, type Unopened } from "./line.ts";

/** What is well, or what is not and how to change that, in a sentence or two. */
export interface Finding {
  well: boolean;
  sentence: string;
}

export interface Examination {
  /** How long canary messages are sent. */
  seconds: number;
  /** Milliseconds to wait for what must come. */
  patience: number;
  /** Milliseconds from one person to another above which something is off. */
  slow: number;
  /** Where people come from an outside issuer: a token of one of them. */
  token?: string;
  clock: Clock;
}

const UPGRADE_ADVICE =
  "In nginx set proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection upgrade; " +
  "Caddy passes them by itself.";

/** Looks at a server as its users meet it, and ends at what makes looking further pointless. */
export async function* examine(address: URL, examination: Examination): AsyncGenerator<Finding> {
  const well = (sentence: string): Finding => ({ well: true, sentence });
  const off = (sentence: string): Finding => ({ well: false, sentence });
  const { patience, token, clock, seconds, slow } = examination;
  const ask = (path: string, init?: RequestInit) =>
    fetch(new URL(path, address), { redirect: "manual", signal: AbortSignal.timeout(patience), ...init });

  const answer = await ask("/healthz").catch((error: Error) => error);
  if (answer instanceof Error) {
    const { message } = innermost(answer);
    return yield off(`Nothing answers at ${address.origin} (${message}). Is the server running, and is this it?`);
  }
  const alive = await answer.text();
  const elsewhere = answer.headers.get("location");
  if (elsewhere) return yield off(`${address.origin} sends everyone on to ${elsewhere}: ask about that address.`);
  if (alive !== "alive\n") return yield off(`What answers at ${address.origin} is no Parley. Is the address right?`);
  yield well("It answers.");
  const ready = await ask("/readyz").then((answer) => answer.text());
  if (ready !== "ready\n") return yield off(`It is not ready: ${ready.trim()}. Look at its log.`);
  yield well("It is ready: its store answers.");

  const call = { address, token, patience, clock, origin: address.origin };
  const room = `doctor-${crypto.randomUUID().slice(0, 8)}`;
  const line = await Line.open({ ...call, room });
  if (!(line instanceof Line)) {
    yield off(await whyUnopened(line, { ...call, room }));
    return yield await streams() ?? well("Until then the page talks by event streams, which come through.");
  }
  const joined = await line.until("room_joined");
  await line.hangUp();
  if (line.cut?.code === 4401) {
    return yield off("Who comes without a token is not let in: give one with --token=TOKEN.");
  }
  if (line.cut) return yield off(cutShort(line.cut));
  if (!joined) {
    return yield off(`A socket opens, but nothing comes through it within ${patience / 1000} s. ${HELD_BACK}`);
  }
  yield well("The socket gets through, and the page's origin is right.");

  if (address.protocol === "https:") {
    const session = await ask("/api/session", { method: "POST", headers: { origin: address.origin } });
    await session.body?.cancel();
    const cookie = session.headers.get("set-cookie");
    if (cookie && !/; *secure/i.test(cookie)) {
      yield off(
        "The server does not know that people come by TLS, and takes all of them for one address: set TRUST_PROXY to the " +
          "number of proxies in front, each of which must set X-Forwarded-Proto and X-Forwarded-For.",
      );
    } else yield well("It knows that people come by TLS.");
  }
  yield await streams() ?? well("Event streams come through, for whom sockets don't.");

  const { tally, recovered, trouble } = await fly(call, room, seconds);
  if (trouble) {
    if ("cut" in trouble) yield off(cutShort(trouble.cut));
    else if ("refused" in trouble) yield off(`A message was refused: ${trouble.refused.message}`);
    else if ("silent" in trouble) yield off(`A socket opened, but nothing came through it. ${HELD_BACK}`);
    else yield off(await whyUnopened(trouble, { ...call, room }));
    return;
  }
  const { median, slowest } = tally.latency;
  const times = `${Math.round(median)} ms for half of them, ${Math.round(slowest)} ms at most`;
  if (tally.missing > 0) yield off(`${tally.missing} of ${tally.sent} messages were lost. Look at the server's log.`);
  if (tally.doubled > 0) yield off(`${tally.doubled} of ${tally.sent} messages came twice.`);
  if (tally.misplaced > 0) yield off(`${tally.misplaced} of ${tally.sent} messages came out of their order.`);
  if (tally.missing + tally.doubled + tally.misplaced === 0) {
    yield well(`${tally.sent} messages in ${seconds} s: none lost, none doubled, all in order.`);
  }
  if (median > slow) yield off(`Messages are slow: ${times}. ${HELD_BACK}`);
  else yield well(`From one person to another they take ${times}.`);
  if (recovered) yield well("What was missed in a break came afterwards.");
  else yield off("After a short break the server could not say what was missed. Do all instances have one store?");

  /** @returns what is off with event streams, if anything is */
  async function streams(): Promise<Finding | undefined> {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const given = new AbortController();
    const cancel = clock.after(patience, () => given.abort());
    try {
      const answer = await ask(`/api/rooms/${room}/events`, { headers, signal: given.signal });
      const reader = answer.body!.getReader();
      await reader.read();
      await reader.cancel();
      if (answer.status !== 200) return off(`Event streams are answered with ${answer.status}.`);
    } catch {
      return off(`An event stream brings nothing within ${patience / 1000} s. ${HELD_BACK}`);
    } finally {
      cancel();
    }
  }
}

const HELD_BACK =
  "Something in front holds back what the server sends: switch its buffering off (in nginx proxy_buffering off).";

function cutShort({ code, after }: { code: number; after: number }): string {
  const when = `after ${(after / 1000).toFixed(1)} s`;
  if (code === 1012 || code === 1001) return `The server stopped ${when}. Try again when it is back.`;
  if (code >= 4000) return `The server closed a socket ${when} with code ${code}, which the README explains.`;
  return `A socket was cut ${when} (code ${code}), and not by the server: something in front ends connections. Have it ` +
    "wait for longer than a minute (in nginx proxy_read_timeout 1h).";
}

async function whyUnopened(why: Unopened, call: Call): Promise<string> {
  if ("failure" in why) {
    return `The socket could not be opened (${why.failure}): something in front does not pass WebSocket upgrades. ${UPGRADE_ADVICE}`;
  }
  const refusal = problemIn(why.body);
  if (!refusal) {
    return `Something in front answered the socket's request itself, with ${why.status}: it does not pass WebSocket ` +
      `upgrades. ${UPGRADE_ADVICE}`;
  }
  if (why.status === 426) {
    return "The proxy in front does not pass WebSocket upgrades: the request came to the server without its Upgrade " +
      `header. ${UPGRADE_ADVICE}`;
  }
  const asScript = why.status === 403 ? await Line.open({ ...call, origin: undefined }) : undefined;
  if (asScript instanceof Line) {
    await asScript.hangUp();
    return `The server takes its own page for a foreign one: it was asked under another name than ${call.address.host}. ` +
      "The proxy must pass the Host header on (in nginx proxy_set_header Host $http_host), or ALLOWED_ORIGINS must have " +
      `${call.address.origin}.`;
  }
  return `The server does not let sockets in: ${refusal.detail}`;
}

/** The server's own words, or undefined where somebody else answered. */
function problemIn(body: string): { detail: string } | undefined {
  try {
    const problem = JSON.parse(body);
    return typeof problem?.code === "string" && typeof problem.detail === "string" ? problem : undefined;
  } catch {
    return undefined;
  }
}

/** What "fetch failed" is about. */
function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
