/** The connection that comes back by itself: when to try, when to give a silent one up, when to stop trying. */
import { type ClientFrame, CLOSE, type ServerFrame } from "../chat/protocol.ts";
import type { Clock } from "./clock.ts";
import type { Refused, SessionAnswer } from "./session_answer.ts";
import { LOST, type OpenTransport, type Transport } from "./transport/transport.ts";

/** Milliseconds: about this long until the first new try, doubled with every further one… */
export const RETRY_BASE = 500;
/** …up to this, so that a page left open overnight is back within half a minute. */
export const RETRY_CEILING = 30_000;
/** Milliseconds over which everyone spreads out who is told that the server restarts: thousands come back, not at once. */
export const RESTART_SPREAD = 4_000;
/** Milliseconds, at least, to stay away after having been one too many. */
export const CROWDED_DELAY = 15_000;
/** Milliseconds a connection must last before the next loss counts as the first one again. */
export const STABLE_AFTER = 5_000;
/** Milliseconds from the first step until `welcome`; a network that swallows packets would keep us for minutes. */
export const CONNECT_TIMEOUT = 10_000;
/** Milliseconds within which a `ping` must be answered by anything at all. */
export const PONG_TIMEOUT = 10_000;

export type ConnectionStatus =
  /** `why` the last try came to nothing, where that was said. */
  | { readonly kind: "connecting"; readonly again: boolean; readonly why: Refused | null }
  | { readonly kind: "connected" }
  /** The next try begins at `until`, milliseconds since 1970. */
  | { readonly kind: "waiting"; readonly until: number; readonly why: Refused | null }
  /** Only a person brings it back. `code` says why. */
  | { readonly kind: "stopped"; readonly code: number }
  /** Only who has an account may come in; where they sign in, if the server knows. */
  | { readonly kind: "signed_out"; readonly loginUrl: string | null };

export interface Connection {
  start(): void;
  /** Silent when there is no connection: what must arrive waits in the outbox. */
  send(frame: ClientFrame): void;
  /** The browser is online again, or someone looks: try at once, or make sure that the connection still lives. */
  wake(): void;
  /** A person asks for it: try at once, also after having stopped. */
  retry(): void;
  stop(): void;
}

export interface ConnectionOptions {
  open: OpenTransport;
  /** Gets a session cookie. Without one it is asked again, as after a lost connection; so it is when it rejects. */
  renewSession: () => Promise<SessionAnswer>;
  clock: Clock;
  /** From 0 up to, not including, 1. */
  random: () => number;
  onFrames: (frames: ServerFrame[]) => void;
  onStatus: (status: ConnectionStatus) => void;
}

/** Milliseconds until try number `attempt` (from 0) after a close with `code`. */
export function retryDelay(attempt: number, code: number, random: () => number): number {
  if (code === CLOSE.tooManyConnections || code === CLOSE.flooding) {
    return CROWDED_DELAY + random() * (RETRY_CEILING - CROWDED_DELAY);
  }
  if (attempt > 0) return random() * Math.min(RETRY_CEILING, RETRY_BASE * 2 ** attempt);
  if (code === CLOSE.restarting || code === 1001) return random() * RESTART_SPREAD;
  return RETRY_BASE * (0.5 + random());
}

/** What a close code says by itself. */
function reasonOf(code: number): Refused | null {
  return code === CLOSE.tooManyConnections || code === CLOSE.flooding ? { kind: "crowded" } : null;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { clock, random, onFrames, onStatus } = options;
  let status: ConnectionStatus | null = null;
  let transport: Transport | null = null;
  /** What belongs to an earlier try finds another number here and does nothing. */
  let generation = 0;
  let attempt = 0;
  let hasSession = false;
  /** Whether a fresh session was already tried for the trouble at hand. */
  let renewed = false;
  let everConnected = false;
  const alarms = new Map<"next" | "deadline" | "stable" | "ping", () => void>();

  function alarm(name: "next" | "deadline" | "stable" | "ping", delay: number, callback: () => void) {
    alarms.get(name)?.();
    alarms.set(name, clock.after(delay, callback));
  }

  function setStatus(value: ConnectionStatus) {
    status = value;
    onStatus(value);
  }

  /** Ends whatever is under way. */
  function drop() {
    generation++;
    for (const cancel of alarms.values()) cancel();
    alarms.clear();
    transport?.close();
    transport = null;
  }

  /** @param leastDelay milliseconds */
  function lost(code: number, reason: Refused | null = reasonOf(code), leastDelay = 0): void {
    drop();
    if (code === CLOSE.badToken && !renewed) {
      renewed = true;
      hasSession = false;
      connect();
      return;
    }
    if (code >= 4400 && code <= 4499) return setStatus({ kind: "stopped", code });
    if (code === CLOSE.renewToken) hasSession = false;
    const delay = Math.max(leastDelay, retryDelay(attempt++, code, random));
    setStatus({ kind: "waiting", until: clock.now() + delay, why: reason });
    alarm("next", delay, connect);
  }

  async function connect(): Promise<void> {
    drop();
    const mine = generation;
    const why = status && "why" in status ? status.why : null;
    setStatus({ kind: "connecting", again: everConnected, why });
    alarm("deadline", CONNECT_TIMEOUT, () => lost(LOST));
    if (!hasSession) {
      const answer = await options.renewSession().catch((): SessionAnswer => ({ kind: "failed" }));
      if (mine !== generation) return;
      switch (answer.kind) {
        case "failed":
          return lost(LOST);
        case "refused":
          return lost(answer.why.kind === "crowded" ? CLOSE.flooding : LOST, answer.why, answer.retryAfter);
        case "signed_out":
          drop();
          return setStatus({ kind: "signed_out", loginUrl: answer.loginUrl });
      }
      hasSession = true;
    }
    transport = options.open({
      received: (frames) => mine === generation && received(frames),
      closed: (code) => mine === generation && lost(code),
      outdated: () => mine === generation && connect(),
    });
  }

  function received(frames: ServerFrame[]) {
    alarms.get("deadline")?.(); // anything heard is a sign of life
    const first = frames[0];
    if (first?.action === "welcome") {
      // A token means that our cookie was not taken (the server's secret is new): get one that is, then come as that person.
      if (first.token !== undefined && !renewed) return lost(CLOSE.badToken);
      everConnected = true;
      setStatus({ kind: "connected" });
      alarm("stable", STABLE_AFTER, () => {
        attempt = 0;
        renewed = false;
      });
      const interval = first.limits.ping_seconds * 1_000;
      const beat = () => {
        ping();
        alarm("ping", interval, beat);
      };
      alarm("ping", interval, beat);
    }
    onFrames(frames);
  }

  function ping() {
    transport?.send({ action: "ping" });
    alarm("deadline", PONG_TIMEOUT, () => lost(LOST));
  }

  return {
    start: () => void connect(),
    send: (frame) => {
      if (status?.kind === "connected") transport?.send(frame);
    },
    wake() {
      if (status?.kind === "waiting") connect();
      else if (status?.kind === "connected") ping();
    },
    retry() {
      renewed = false;
      if (status?.kind !== "connected") connect();
    },
    stop: drop,
  };
}
