import { BATCH_PROTOCOL, type ServerFrame } from "../../chat/protocol.ts";
import type { OpenTransport } from "./transport.ts";

/** Frames over a WebSocket. The server may put several into one. */
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
