/** Chooses how frames travel: by a socket, or by an event stream and POST while sockets don't open. */
import type { ServerFrame } from "../../chat/protocol.ts";
import { LOST, type OpenTransport, type Transport, type TransportListener } from "./transport.ts";

/** Sockets that must fail in a row before a stream is tried: a single one may have met a restart of the server. */
export const SOCKET_TRIES = 2;

export interface TransportChoice {
  readonly transport: "socket" | "stream";
  /** Sockets that did not open since the last one that did. */
  readonly socketFailures: number;
}

/**
 * `opened`: the server sent its welcome. `failed`: it ended before that. `missing`: this environment has no WebSocket.
 */
export type TransportEvent = "socket_opened" | "socket_failed" | "socket_missing" | "stream_failed";

export const initialChoice: TransportChoice = { transport: "socket", socketFailures: 0 };

/** What to open next after an event. */
export function nextChoice({ socketFailures }: TransportChoice, event: TransportEvent): TransportChoice {
  switch (event) {
    case "socket_opened":
      return initialChoice;
    case "socket_missing":
      return { transport: "stream", socketFailures: SOCKET_TRIES };
    case "socket_failed": {
      const failures = socketFailures + 1;
      return { transport: failures >= SOCKET_TRIES ? "stream" : "socket", socketFailures: failures };
    }
    case "stream_failed":
      // So the sockets were not to blame. The next try is a socket's, and if that fails, the one after is a stream's.
      return { transport: "socket", socketFailures: SOCKET_TRIES - 1 };
  }
}

/**
 * Opens sockets as long as they open, otherwise streams. While it streams it checks whether a socket would open by now:
 * immediately, since the server may just have been away, and then with every ping.
 */
export function withFallback(socket: OpenTransport, stream: OpenTransport): OpenTransport {
  let choice = initialChoice;
  const note = (event: TransportEvent) => void (choice = nextChoice(choice, event));

  function openSocket(listener: TransportListener): Transport | null {
    try {
      return watched(socket, listener, () => note("socket_opened"), () => note("socket_failed"));
    } catch {
      note("socket_missing");
      return null;
    }
  }

  function openStream(listener: TransportListener): Transport {
    let trial: Transport | null = null;
    const endTrial = () => {
      trial?.close();
      trial = null;
    };
    const trySocket = () => {
      endTrial();
      trial = openSocket({
        received() {
          endTrial();
          listener.outdated();
        },
        closed: endTrial,
        outdated() {},
      });
    };
    const received = (frames: ServerFrame[]) => {
      listener.received(frames);
      if (frames[0].action === "welcome") trySocket();
    };
    const opened = watched(stream, { ...listener, received }, () => {}, () => note("stream_failed"));
    return {
      send(frame) {
        if (frame.action === "ping") trySocket();
        opened.send(frame);
      },
      close() {
        endTrial();
        opened.close();
      },
    };
  }

  return (listener) => (choice.transport === "socket" ? openSocket(listener) : null) ?? openStream(listener);
}

/**
 * Reports once whether the transport opened. One that the server closed with a code of its own had reached the server.
 */
function watched(open: OpenTransport, listener: TransportListener, opened: () => void, failed: () => void): Transport {
  let report: ((outcome: () => void) => void) | null = (outcome) => {
    report = null;
    outcome();
  };
  const transport = open({
    received(frames: ServerFrame[]) {
      report?.(opened);
      listener.received(frames);
    },
    closed(code) {
      report?.(code === LOST ? failed : opened);
      listener.closed(code);
    },
    outdated: listener.outdated,
  });
  return {
    send: (frame) => transport.send(frame),
    close() {
      report?.(failed);
      transport.close();
    },
  };
}
