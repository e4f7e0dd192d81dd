/** The obvious loop on Deno: what one would write first. */
const rooms = new Map<string, Set<WebSocket>>();
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
  const name = new URL(request.url).searchParams.get("room")!;
  const { socket, response } = Deno.upgradeWebSocket(request);
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.onopen = () => socket.send('{"action":"room_joined"}');
  socket.onclose = () => room.delete(socket);
  socket.onerror = () => {};
  let seq = 0;
  socket.onmessage = ({ data }) => {
    const { room: name, text } = JSON.parse(data);
    const message = { action: "receive_message", room: name, seq: ++seq, from: "User 482", text, date: Date.now() };
    const frame = JSON.stringify(message);
    for (const other of rooms.get(name)!) if (other.readyState === WebSocket.OPEN) other.send(frame);
  };
  return response;
});
console.log(`http://127.0.0.1:${server.addr.port}`);
