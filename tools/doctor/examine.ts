import { fly } from "./canaries.ts";
import { EventStream, talk } from "./event_stream.ts";
import { Line } from "./line.ts";
import { openPage } from "./page.ts";
import { Sentences } from "./sentences.ts";
import { type Answer, Unanswered, Visitor, type VisitorOptions } from "./visitor.ts";

/** What is well, or what is not and how to change that, in a sentence or two. */
export interface Finding {
  well: boolean;
  sentence: string;
}

export interface Examination extends VisitorOptions {
  /** How long canary messages are sent. */
  seconds: number;
  /** Milliseconds from one person to another above which something is off. */
  slow: number;
  /** Where people come from an outside issuer: a token of one of them. */
  token?: string;
}

const well = (sentence: string): Finding => ({ well: true, sentence });
const off = (sentence: string): Finding => ({ well: false, sentence });

/**
 * Looks at a server as its users meet it, in their browser's order, and ends at what makes looking further pointless.
 */
export async function* examine(examination: Examination): AsyncGenerator<Finding> {
  const visitor = new Visitor(examination);
  try {
    yield* look(visitor, examination);
  } catch (error) {
    if (!(error instanceof Unanswered)) {
      return yield off(`What answers does not speak as Parley does (${(error as Error).message}). Is it one?`);
    }
    yield off(`It answered, and then it did not (${error.message}). Look at its log, and at that of what is in front.`);
  }
}

async function* look(visitor: Visitor, { token, seconds, slow, clock }: Examination): AsyncGenerator<Finding> {
  const say = new Sentences(visitor);
  const { base } = visitor;
  const place = base.href.replace(/\/$/, "");

  const alive = await visitor.ask("healthz").catch((error: Unanswered) => error);
  if (alive instanceof Unanswered) {
    return yield off(say.noAnswer(place, alive.message));
  }
  const remotePresence = alive.headers.get("location");
  if (remotePresence) return yield off(`${place} sends everyone on to ${remotePresence}: ask about that address.`);
  if (alive.body !== "alive\n") return yield off(`What answers at ${place} is no Parley. Is the address right?`);
  yield well("It answers.");
  const ready = await visitor.ask("readyz");
  if (ready.body !== "ready\n") return yield off(`It is not ready: ${ready.body.trim()}. Look at its log.`);
  yield well("It is ready: its store answers.");

  const page = await openPage(visitor);
  if (page) return yield off(say.pageTrouble(page));
  yield well("The page comes, and finds its script.");

  const bearer = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const begin = () => visitor.ask("api/session", { method: "POST", headers: bearer });
  let session = await begin();
  /** Whether the page can talk at all, so that it makes sense to say what is well. */
  let usable = true;
  if (session.status === 403) {
    const { origin } = visitor;
    visitor.origin = undefined;
    const asScript = await begin();
    if (asScript.status === 201) {
      usable = false;
      session = asScript;
      yield off(say.foreignPage(origin!));
    }
  }
  const textLimit = session.status === 201 ? textLimitIn(session) : undefined;
  if (textLimit === undefined) return yield off(say.noSession(session, token));
  visitor.textLimit = textLimit;
  // Proxies that keep people with one server add a cookie of their own.
  const cookies = session.headers.getSetCookie();
  const cookie = cookies.find((line) => /^(?:__Host-)?parley_session/.test(line));
  if (cookie === undefined) {
    return yield off("The session's cookie is lost on the way: what is in front must pass Set-Cookie on.");
  }
  visitor.cookie = cookies.map((line) => line.split(";")[0]).join("; ");
  if (usable) yield well("The page gets its session: its origin is right.");
  if (base.protocol === "https:") {
    if (!/; *secure/i.test(cookie)) yield off(say.plainCookie());
    else if (usable) yield well("It knows that people come by TLS.");
  }

  const room = `doctor-${crypto.randomUUID().slice(0, 8)}`;
  const socketTrouble = await trySocket();
  if (socketTrouble !== undefined) yield off(socketTrouble);
  else if (usable) yield well("The socket gets through.");
  const streamTrouble = await tryStream();
  if (streamTrouble !== undefined) yield off(streamTrouble);
  if (!usable) return;
  // Nothing is said there: what ends idle connections ends this one.
  const quiet = streamTrouble === undefined ? await EventStream.open(visitor, `${room}-still`) : undefined;
  if (socketTrouble === undefined) {
    if (streamTrouble === undefined) yield well("Event streams come through, for whom sockets don't.");
    yield* fromOneToAnother();
  } else if (quiet) await new Promise<void>((resolve) => clock.after(seconds * 1000, resolve));
  if (!(quiet instanceof EventStream)) return;
  await quiet.hangUp();
  if (quiet.cut) yield off(await cutShort("An event stream", quiet.cut));
  else if (socketTrouble !== undefined) yield well("Until then the page talks by event streams, which come through.");

  /** Whether it was the server that went away, or something in front that ended a connection. */
  async function cutShort(what: "A socket" | "An event stream", cut: { code: number; after: number }): Promise<string> {
    const isThere = await visitor.ask("healthz").then(({ body }) => body === "alive\n", () => false);
    return isThere ? say.cutShort(what, cut) : say.goneAway(cut.after);
  }

  /** @returns what is off with sockets, if anything is */
  async function trySocket(): Promise<string | undefined> {
    const line = await Line.open(visitor, room);
    if (!(line instanceof Line)) return say.unopened(line);
    const joined = await line.until("room_joined");
    await line.hangUp();
    if (line.cut) return await cutShort("A socket", line.cut);
    if (line.frames.some((frame) => frame.action === "welcome" && frame.token !== undefined)) {
      return "The page's cookie is lost on the way to a socket: what is in front must pass Cookie on.";
    }
    if (line.refusal) return say.refusedAction(line.refusal);
    return joined ? undefined : say.silentSocket();
  }

  /** @returns what is off with event streams, if anything is */
  async function tryStream(): Promise<string | undefined> {
    const how = await talk(visitor, room);
    if ("late" in how) return how.late > slow ? say.slowStream(how.late) : undefined;
    const heldBack = "missing" in how ? !how.cut : "unopened" in how && how.unopened === "silent";
    // Who takes nothing compressed is served by the same proxy without its compression.
    const uncompressed = heldBack && "late" in await talk(visitor, room, { "accept-encoding": "identity" });
    return say.streamTrouble(how, uncompressed);
  }

  async function* fromOneToAnother(): AsyncGenerator<Finding> {
    const { tally, recovered, trouble } = await fly(visitor, room, seconds);
    if (trouble) {
      if ("cut" in trouble) return yield off(await cutShort("A socket", trouble.cut));
      if ("refused" in trouble) return yield off(say.refusedAction(trouble.refused));
      return yield off("silent" in trouble ? say.silentSocket() : say.unopened(trouble));
    }
    const { median, slowest } = tally.latency;
    const times = `${Math.round(median)} ms for half of them, ${Math.round(slowest)} ms at most`;
    if (tally.missing > 0) yield off(`${tally.missing} of ${tally.sent} messages were lost. Look at the server's log.`);
    if (tally.doubled > 0) yield off(`${tally.doubled} of ${tally.sent} messages came twice.`);
    if (tally.misplaced > 0) yield off(`${tally.misplaced} of ${tally.sent} messages came out of their order.`);
    if (tally.missing + tally.doubled + tally.misplaced === 0) {
      yield well(`${tally.sent} messages in ${seconds} s: none lost, none doubled, all in order.`);
    }
    if (median > slow) yield off(say.slowMessages(times));
    else yield well(`From one person to another they take ${times}.`);
    if (recovered) yield well("What was missed in a break came afterwards.");
    else yield off("After a short break the server could not say what was missed. Do all instances have one store?");
  }
}

/** The longest text that the server takes, as it says with a session; undefined where somebody else answered. */
function textLimitIn({ headers, body }: Answer): number | undefined {
  // As the page has it, which takes no other for a session's.
  if (!headers.get("content-type")?.startsWith("application/json")) return undefined;
  try {
    const text = JSON.parse(body)?.limits?.text;
    return typeof text === "number" ? text : undefined;
  } catch {
    return undefined;
  }
}
