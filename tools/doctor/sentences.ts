import { adviceOn, type Fault } from "./advice.ts";
import type { NoStream, Talk } from "./event_stream.ts";
import type { ErrorFrame } from "../../chat/protocol.ts";
import type { Unopened } from "./line.ts";
import type { PageTrouble } from "./page.ts";
import { type Answer, problemIn, type Visitor } from "./visitor.ts";

/** What is off in words, and what to do about it in the proxies that the visitor has seen. */
export class Sentences {
  readonly #visitor: Visitor;

  constructor(visitor: Visitor) {
    this.#visitor = visitor;
  }

  noAnswer(place: string, message: string): string {
    if (/certificate/i.test(message)) {
      return `Browsers will not trust ${place}: ${message}. Give what ends TLS a certificate for this name, and the whole ` +
        "chain of it.";
    }
    return `Nothing answers at ${place} (${message}). Is the server running, and is this it?`;
  }

  pageTrouble(trouble: PageTrouble): string {
    if ("refused" in trouble) return this.#refused("the page", "GET /", trouble.refused);
    if ("foreign" in trouble) {
      return `The page is not Parley's: something in front answers in its place, with ${trouble.foreign.status}. It must ` +
        `pass all of ${this.#visitor.base.href} on to the server.`;
    }
    const { lost, answer: { status }, outside } = trouble;
    const path = this.#visitor.base.pathname.replace(/\/$/, "");
    const kind = lost.pathname.endsWith(".css") ? "style" : "script";
    const what = `The page names its ${kind} as ${lost.pathname}, which is not there (${status}): `;
    if (path !== "" && outside) return `${what}set BASE_PATH=${path}, so that the server knows its path.`;
    return `${what}what is in front must pass it on to the server.`;
  }

  foreignPage(origin: string): string {
    return "The page can't connect: the server takes its own page for a foreign one, because it was asked under another " +
      `name than ${
        new URL(origin).host
      }. What is in front must pass the Host header on, or ALLOWED_ORIGINS must have ` +
      `${origin}. ${this.#advice("host")}`;
  }

  noSession(answer: Answer, token: string | undefined): string {
    if (answer.status === 401 && problemIn(answer.body) && token === undefined) {
      return "Who comes without a token is not let in: give one with --token=TOKEN.";
    }
    return this.#refused("the page's session", "POST /api/session", answer);
  }

  plainCookie(): string {
    return "The server does not know that people come by TLS, and takes all of them for one address: set TRUST_PROXY to " +
      `the number of proxies in front, each of which must set X-Forwarded-Proto and X-Forwarded-For. ` +
      this.#advice("forwarding");
  }

  unopened(why: Unopened): string {
    if ("failure" in why) {
      return `The socket could not be opened (${why.failure}): something in front does not pass WebSocket upgrades. ` +
        this.#advice("upgrades");
    }
    if (why.status === 426) {
      return "The proxy in front does not pass WebSocket upgrades: the request came to the server without its Upgrade " +
        `header. ${this.#advice("upgrades")}`;
    }
    if (problemIn(why.body)) return this.#refused("the socket", "GET /connect", why);
    return `Something in front answered the socket's request itself, with ${why.status}: it does not pass WebSocket ` +
      `upgrades. ${this.#advice("upgrades")}`;
  }

  silentSocket(): string {
    return `A socket opens, but nothing comes through it within ${this.#timeout}. Something in front holds back what the ` +
      "server sends: switch its buffering off.";
  }

  goneAway(after: number): string {
    return `The server went away after ${(after / 1000).toFixed(1)} s. Try again when it is back, and look at its log.`;
  }

  /** An error of the wire; limits that are very low meet the doctor, which is several visitors at once. */
  refusedAction({ code, message }: ErrorFrame): string {
    const why = code === "rate_limited"
      ? " The doctor asks for as much as a few people do: are limits set so low?"
      : "";
    return `The server refuses what the page would ask: ${message}${why}`;
  }

  cutShort(what: "A socket" | "An event stream", { code, after }: { code: number; after: number }): string {
    const when = `after ${(after / 1000).toFixed(1)} s`;
    if (code === 1012 || code === 1001) return `The server stopped ${when}. Try again when it is back.`;
    if (code === 4009) {
      return `The server ended a connection ${when}: the doctor takes four at a time, and CONNECTIONS_PER_IP lets nobody ` +
        "have so many. Pages take one each.";
    }
    if (code >= 4000) {
      return `The server ended a connection ${when} with code ${code}, which docs/protocol.md explains.`;
    }
    return `${what} was cut ${when}, and not by the server: something in front ends connections. Have it wait for longer ` +
      `than a minute. ${this.#advice("idle")}`;
  }

  /** @param uncompressed whether it is well for who takes nothing compressed */
  streamTrouble(trouble: Exclude<Talk, { late: number }>, uncompressed: boolean): string {
    if ("unsaid" in trouble) return this.#refused("what is said by POST", "POST /api/actions", trouble.unsaid);
    if ("unopened" in trouble) {
      if (trouble.unopened !== "silent") return this.#noStream(trouble.unopened);
    } else if (trouble.cut) return this.cutShort("An event stream", trouble.cut);
    const what = "missing" in trouble && trouble.missing === "event"
      ? "An event stream begins, but what is said then does not come through it"
      : "An event stream brings nothing";
    const where = `${what} within ${this.#timeout}. Something in front `;
    if (uncompressed) return `${where}compresses it, and holds it back for that. ${this.#advice("compression")}`;
    return `${where}holds it back. ${this.#advice("buffering")}`;
  }

  /** @param late milliseconds */
  slowStream(late: number): string {
    return `An event stream brings what is said, but late (${Math.round(late)} ms). ${this.#advice("buffering")}`;
  }

  slowMessages(times: string): string {
    return `Messages are slow: ${times}. Is the server, or the way to it, too busy?`;
  }

  #noStream(answer: Exclude<NoStream, "silent">): string {
    return this.#refused("event streams", "GET /api/rooms/ROOM/events", answer);
  }

  /** What to say of an answer that is none of those hoped for. */
  #refused(what: string, request: string, { status, body }: Pick<Answer, "status" | "body">): string {
    const problem = problemIn(body);
    if (!problem) {
      const asked = request.replace(" /", ` ${this.#visitor.base.pathname}`);
      return `Something in front answers ${asked} itself, with ${status}: it must pass that on to the server.`;
    }
    const said = `The server refuses ${what} with ${status}: ${problem.detail}`;
    if (status === 421) {
      return `${said} Is ${this.#visitor.base.hostname} there, then what is in front must pass the Host header on. ` +
        this.#advice("host");
    }
    if (status === 429) {
      return `${said} If many come through one proxy, TRUST_PROXY keeps them from counting as one address. ` +
        this.#advice("forwarding");
    }
    return said;
  }

  get #timeout(): string {
    return `${this.#visitor.timeout / 1000} s`;
  }

  #advice(fault: Fault): string {
    return adviceOn(fault, this.#visitor.seen);
  }
}
