/** Which way the frames go: by a socket, or by an event stream and POST while sockets don't open. */
import type { ServerFrame } from "../../chat/protocol.ts";
import { LOST, type OpenTransport, type Transport, type TransportListener } from "./transport.ts";

/** Sockets that must have failed in a row: one may fall into a restart of the server. */
export const SOCKET_TRIES = 2;

/** What has been seen of the two ways so far. */
export interface Ways {
  readonly way: "socket" | "stream";
  /** Sockets that did not open since the last one that did. */
  readonly failures: number;
}

/** `opened`: the server has welcomed us. `failed`: it ended before that. `missing`: there is no such thing here. */
export type Sign = "socket_opened" | "socket_failed" | "socket_missing" | "stream_failed";

export const initialWays: Ways = { way: "socket", failures: 0 };

/** Which way to go after a sign. */
export function follow({ failures }: Ways, sign: Sign): Ways {
  switch (sign) {
    case "socket_opened":
      return initialWays;
    case "socket_missing":
      return { way: "stream", failures: SOCKET_TRIES };
    case "socket_failed":
      return { way: failures + 1 >= SOCKET_TRIES ? "stream" : "socket", failures: failures + 1 };
    case "stream_failed":
      // Then it was not the sockets' fault. They have the next try, and if it fails again, the one after is the stream's.
      return { way: "socket", failures: SOCKET_TRIES - 1 };
  }
}

/**
 * Opens sockets as long as they open, else streams. While it streams it looks whether a socket would open by now: at
 * once, since the server may just have been away, and then with every ping.
 */
export function withFallback(socket: OpenTransport, stream: OpenTransport): OpenTransport {
  let ways = initialWays;
  const see = (sign: Sign) => void (ways = follow(ways, sign));

  function openSocket(listener: TransportListener): Transport | null {
    try {
      return watched(socket, listener, () => see("socket_opened"), () => see("socket_failed"));
    } catch {
      see("socket_missing");
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
    const opened = watched(stream, { ...listener, received }, () => {}, () => see("stream_failed"));
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

  return (listener) => (ways.way === "socket" ? openSocket(listener) : null) ?? openStream(listener);
}

/** Tells once whether it opened or not. A server that closes it with a word of its own was reached. */
function watched(open: OpenTransport, listener: TransportListener, opened: () => void, failed: () => void): Transport {
  let tell: ((how: () => void) => void) | null = (how) => {
    tell = null;
    how();
  };
  const transport = open({
    received(frames: ServerFrame[]) {
      tell?.(opened);
      listener.received(frames);
    },
    closed(code) {
      tell?.(code === LOST ? failed : opened);
      listener.closed(code);
    },
    outdated: listener.outdated,
  });
  return {
    send: (frame) => transport.send(frame),
    close() {
      tell?.(failed);
      transport.close();
    },
  };
}
