/** A connection that comes back by itself: when to try again, when a silent one is lost, and when to stop trying. */
import { type ClientFrame, CLOSE, type ServerFrame } from "../chat/protocol.ts";
import { type Clock, Timers } from "./clock.ts";
import { retryDelay } from "./retry_delay.ts";
import type { SessionAnswer, SessionRefusal } from "./session_answer.ts";
import { LOST, type OpenTransport, type Transport } from "./transport/transport.ts";

/** Milliseconds that a connection must last before the delays start from the beginning again. */
export const STABLE_AFTER = 5_000;
/** Milliseconds from the first request until `welcome`; a network that drops packets would otherwise take minutes. */
export const CONNECT_TIMEOUT = 10_000;
/** Milliseconds within which any frame must follow a `ping`. */
export const PONG_TIMEOUT = 10_000;

export type ConnectionStatus =
  /** `refusal` is why the last try failed, where the server said so. */
  | { readonly kind: "connecting"; readonly again: boolean; readonly refusal: SessionRefusal | null }
  | { readonly kind: "connected" }
  /** The next try begins at `until`, milliseconds since 1970. */
  | { readonly kind: "waiting"; readonly until: number; readonly refusal: SessionRefusal | null }
  /** Only `retry` brings it back. `code` is the close code. */
  | { readonly kind: "stopped"; readonly code: number }
  /** The person has to sign in; `loginUrl` is where, if the server knows. */
  | { readonly kind: "signed_out"; readonly loginUrl: string | null };

export interface Connection {
  start(): void;
  /** Does nothing without a connection: what must arrive waits in the outbox. */
  send(frame: ClientFrame): void;
  /** The network is back, or someone looks at the page: tries at once, or checks that the connection still works. */
  wake(): void;
  /** A person asks for it: tries at once, also after it stopped. */
  retry(): void;
  stop(): void;
}

export interface ConnectionOptions {
  open: OpenTransport;
  /** Whether there is a session cookie already, as far as the page knows. */
  hasSession?: boolean;
  /** Gets a session cookie. When it rejects, or gets none, it is called again after the usual delay. */
  renewSession: () => Promise<SessionAnswer>;
  clock: Clock;
  /** From 0 up to, not including, 1. */
  random: () => number;
  onFrames: (frames: ServerFrame[]) => void;
  onStatus: (status: ConnectionStatus) => void;
}

/** The refusal that a close code alone stands for. */
function refusalFor(code: number): SessionRefusal | null {
  return code === CLOSE.tooManyConnections || code === CLOSE.flooding ? { kind: "crowded" } : null;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { clock, random, onFrames, onStatus } = options;
  let status: ConnectionStatus | null = null;
  let transport: Transport | null = null;
  /** Counts the tries: whatever an earlier one still reports is ignored. */
  let generation = 0;
  let attempt = 0;
  let { hasSession = false } = options;
  /** The page said so, and no connection has shown yet that it is true. */
  let isUntried = hasSession;
  /** Whether a new session was already requested since the last stable connection. */
  let renewed = false;
  let everConnected = false;
  const timers = new Timers<"next" | "deadline" | "stable" | "ping">(clock);

  function setStatus(value: ConnectionStatus) {
    status = value;
    onStatus(value);
  }

  /** Ends the present try or connection. */
  function drop() {
    generation++;
    timers.cancelAll();
    transport?.close();
    transport = null;
  }

  /** @param leastDelay milliseconds */
  function lost(code: number, refusal: SessionRefusal | null = refusalFor(code), leastDelay = 0): void {
    drop();
    if (code === CLOSE.badToken && !renewed) {
      renewed = true;
      hasSession = false;
      connect();
      return;
    }
    // A socket does not say why it was refused. The answer to a request for a session does.
    if (isUntried && code < 4000) {
      hasSession = false;
      connect();
      return;
    }
    if (code >= 4400 && code <= 4499) return setStatus({ kind: "stopped", code });
    if (code === CLOSE.renewToken) hasSession = false;
    const delay = Math.max(leastDelay, retryDelay(attempt++, code, random));
    setStatus({ kind: "waiting", until: clock.now() + delay, refusal });
    timers.set("next", delay, connect);
  }

  async function connect(): Promise<void> {
    drop();
    const own = generation;
    const refusal = status && "refusal" in status ? status.refusal : null;
    setStatus({ kind: "connecting", again: everConnected, refusal });
    timers.set("deadline", CONNECT_TIMEOUT, () => lost(LOST));
    if (!hasSession) {
      isUntried = false;
      const answer = await options.renewSession().catch((): SessionAnswer => ({ kind: "failed" }));
      if (own !== generation) return;
      switch (answer.kind) {
        case "failed":
          return lost(LOST);
        case "refused":
          return lost(answer.refusal.kind === "crowded" ? CLOSE.flooding : LOST, answer.refusal, answer.retryAfter);
        case "signed_out":
          drop();
          return setStatus({ kind: "signed_out", loginUrl: answer.loginUrl });
      }
      hasSession = true;
    }
    transport = options.open({
      received: (frames) => own === generation && received(frames),
      closed: (code) => own === generation && lost(code),
      outdated: () => own === generation && connect(),
    });
  }

  function received(frames: ServerFrame[]) {
    timers.cancel("deadline"); // any frame shows that the connection works
    const first = frames[0];
    if (first?.action === "welcome") {
      // A token means that the server did not accept our cookie (its secret is new): get a new cookie, then connect
      // with it.
      if (first.token !== undefined && !renewed) return lost(CLOSE.badToken);
      everConnected = true;
      isUntried = false;
      setStatus({ kind: "connected" });
      timers.set("stable", STABLE_AFTER, () => {
        attempt = 0;
        renewed = false;
      });
      const interval = first.limits.ping_seconds * 1_000;
      const pingAgain = () => {
        ping();
        timers.set("ping", interval, pingAgain);
      };
      timers.set("ping", interval, pingAgain);
    }
    onFrames(frames);
  }

  function ping() {
    transport?.send({ action: "ping" });
    timers.set("deadline", PONG_TIMEOUT, () => lost(LOST));
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
