import type { ServerFrame } from "../../chat/protocol.ts";

/** Messages on their way at once. */
const AT_ONCE = 100;

/**
 * Has someone without a page say all of this in a room, as fast as it is stored.
 * @returns who said it
 */
export async function talk(url: string, room: string, texts: readonly string[]): Promise<string> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/connect?room=${encodeURIComponent(room)}`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let [user, sent, stored] = ["", 0, 0];
  socket.onclose = () => reject(new Error(`${stored} of ${texts.length} messages were stored`));
  socket.onmessage = ({ data }) => {
    for (const frame of [JSON.parse(data)].flat() as ServerFrame[]) {
      if (frame.action === "welcome") user = frame.user;
      if (frame.action === "receive_message" && frame.user === user) stored++;
      if (stored < sent || frame.action !== "receive_message" && frame.action !== "room_joined") continue;
      if (sent === texts.length) return resolve(user);
      const batch = texts.slice(sent, sent + AT_ONCE);
      for (const text of batch) socket.send(JSON.stringify({ action: "send_message", room, text }));
      sent += batch.length;
    }
  };
  await promise;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
  return user;
}

/** `line 1` to `line 9`, say. */
export function lines(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `line ${first + index}`);
}
