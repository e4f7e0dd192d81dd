// The obvious loop on Node with ws.
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false }, () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
server.on("connection", (socket, request) => {
  const name = new URL(request.url, "http://x").searchParams.get("room");
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.send('{"action":"room_joined"}');
  socket.on("close", () => room.delete(socket));
  socket.on("error", () => {});
  let seq = 0;
  socket.on("message", (data) => {
    const { room: name, text } = JSON.parse(String(data));
    const message = { action: "receive_message", room: name, seq: ++seq, from: "User 482", text, date: Date.now() };
    const frame = JSON.stringify(message);
    for (const other of rooms.get(name)) if (other.readyState === 1) other.send(frame);
  });
});
