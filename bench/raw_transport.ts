/** The page's way to the server without a WebSocket of the runtime: a raw connection, so that thousands fit a process. */
import { BATCH_PROTOCOL, type ClientFrame, type ServerFrame } from "../chat/protocol.ts";
import { LOST, type OpenTransport } from "../client/transport/transport.ts";
import { frame, handshake } from "./client.ts";
import { FrameReader } from "./frames.ts";

const BUFFER = 8 * 1024;
const HEAD_END = "\r\n\r\n";
/** What may matter to somebody who only wants to have everything: entries, pages of them, the welcome and errors. */
const MATTERS = /"seq":|"welcome"|"error"/;
/** Who is in a room, the larger part of what a join brings: nobody looks at it here. */
const MEMBERS = /"members":\[.*?\],"count"/;
/** Buffers of connections that have ended. */
const free: Uint8Array<ArrayBuffer>[] = [];

/** The session that a browser would keep as a cookie, from the first welcome on. */
export interface Person {
  token?: string;
}

/**
 * Frames over a raw connection, as `socketTransport` has them. Those that don't matter here, such as who has come, are
 * not read: they arrive as no frames at all.
 */
export function rawTransport(port: number, person: Person): OpenTransport {
  return (listener) => {
    let connection: Deno.TcpConn | undefined;
    let isClosed = false;
    const closed = (code: number) => {
      if (isClosed) return;
      close();
      listener.closed(code);
    };
    function close() {
      isClosed = true;
      connection?.close();
      connection = undefined;
    }
    const write = (bytes: Uint8Array<ArrayBuffer>) => void connection?.write(bytes).catch(() => {});

    async function run(): Promise<void> {
      const opened = await Deno.connect({ hostname: "127.0.0.1", port });
      if (isClosed) return opened.close();
      connection = opened;
      connection.setNoDelay(true);
      const cookie = person.token === undefined ? [] : [`cookie: parley_session=${person.token}`];
      write(handshake(port, "/connect?room=", [`sec-websocket-protocol: ${BATCH_PROTOCOL}`, ...cookie]));
      const reader = new FrameReader({ text: (text) => isClosed || received(text), close: closed });
      const buffer = free.pop() ?? new Uint8Array(BUFFER);
      let head: string | undefined = "";
      for (let length; (length = await opened.read(buffer)) !== null;) {
        let bytes = buffer.subarray(0, length);
        if (head !== undefined) {
          const before: number = head.length;
          head += new TextDecoder().decode(bytes);
          const end: number = head.indexOf(HEAD_END);
          if (end === -1) continue;
          if (!head.startsWith("HTTP/1.1 101")) break;
          bytes = bytes.subarray(end + HEAD_END.length - before);
          head = undefined;
        }
        reader.read(bytes);
      }
      free.push(buffer);
      closed(LOST);
    }

    function received(text: string): void {
      if (!MATTERS.test(text)) return listener.received([]);
      const frames: ServerFrame[] = [JSON.parse(text.replace(MEMBERS, '"members":[],"count"'))].flat();
      const [first] = frames;
      if (first?.action === "welcome" && first.token !== undefined && person.token === undefined) {
        person.token = first.token;
        // A browser has it as a cookie before it connects.
        delete first.token;
      }
      listener.received(frames);
    }

    run().catch(() => closed(LOST));
    return { send: (action: ClientFrame) => write(frame(JSON.stringify(action))), close };
  };
}
