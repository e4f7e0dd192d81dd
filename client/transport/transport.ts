/** What carries frames between a client and the server: a socket, or an event stream with POST. */
import type { ClientFrame, ServerFrame } from "../../chat/protocol.ts";

/**
 * The code that browsers report for a connection that ended without a close frame; also used when the client gives up.
 */
export const LOST = 1006;

export interface Transport {
  send(frame: ClientFrame): void;
  /** Ends it without a call of `closed`. */
  close(): void;
}

export interface TransportListener {
  /** Gets frames in the order in which the server sent them. */
  received(frames: ServerFrame[]): void;
  /** Called once, with the close code; 1006 when it ended without one or never opened. */
  closed(code: number): void;
  /** This transport still works, and a better one has become possible: open again now. */
  outdated(): void;
}

export type OpenTransport = (listener: TransportListener) => Transport;

/** A transport whose code is loaded when it is needed. If that fails, it counts as lost. */
export function loadedLater(load: () => Promise<OpenTransport>): OpenTransport {
  return (listener) => {
    let transport: Transport | null = null;
    let closed = false;
    load().then((open) => {
      if (!closed) transport = open(listener);
    }, () => closed || listener.closed(LOST));
    return {
      // Before its welcome nobody sends anything that matters.
      send: (frame) => transport?.send(frame),
      close() {
        closed = true;
        transport?.close();
      },
    };
  };
}
