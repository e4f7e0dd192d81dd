/** What carries frames: a socket here; anything else that keeps these few functions can stand in for it. */
import { BATCH_PROTOCOL, type ClientFrame, type ServerFrame } from "../../chat/protocol.ts";

/** What browsers report when a connection ended without a word; also our own word for one we gave up. */
export const LOST = 1006;

export interface Transport {
  send(frame: ClientFrame): void;
  /** Ends it without `closed` being called. */
  close(): void;
}

export interface TransportListener {
  /** In the order in which the server said them. */
  received(frames: ServerFrame[]): void;
  /** Once, with the close code; 1006 when it ended without a word or never began. */
  closed(code: number): void;
  /** It still works, and a better one has become possible: open anew, at once. */
  outdated(): void;
}

export type OpenTransport = (listener: TransportListener) => Transport;

/** Frames over a WebSocket, several in one where the server has several. */
export function socketTransport(url: URL): OpenTransport {
  return (listener) => {
    const socket = new WebSocket(url, [BATCH_PROTOCOL]);
    socket.onmessage = (event) => {
      const data: ServerFrame | ServerFrame[] = JSON.parse(event.data);
      listener.received(Array.isArray(data) ? data : [data]);
    };
    socket.onclose = (event) => listener.closed(event.code);
    return {
      send: (frame) => socket.send(JSON.stringify(frame)),
      close() {
        socket.onmessage = null;
        socket.onclose = null;
        socket.close();
      },
    };
  };
}
