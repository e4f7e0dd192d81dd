import { LOST, type OpenTransport, type Transport } from "./transport.ts";

/** A transport whose code is loaded when it is opened. If that fails, it counts as lost. */
export function lateTransport(load: () => Promise<OpenTransport>): OpenTransport {
  return (listener) => {
    let opened: Transport | null = null;
    let isClosed = false;
    const open = (transport: OpenTransport) => {
      if (!isClosed) opened = transport(listener);
    };
    load().then(open, () => isClosed || listener.closed(LOST));
    return {
      send: (frame) => opened?.send(frame),
      close() {
        isClosed = true;
        opened?.close();
      },
    };
  };
}
