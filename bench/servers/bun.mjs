// Bun's own publish and subscribe, which is uWebSockets in C++.
let seq = 0;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request, server) {
    const room = new URL(request.url).searchParams.get("room");
    return server.upgrade(request, { data: { room } }) ? undefined : new Response("", { status: 426 });
  },
  websocket: {
    open(socket) {
      socket.subscribe(socket.data.room);
      socket.send('{"action":"room_joined"}');
    },
    message(_socket, data) {
      const { room, text } = JSON.parse(data);
      const message = { action: "receive_message", room, seq: ++seq, from: "User 482", text, date: Date.now() };
      server.publish(room, JSON.stringify(message));
    },
  },
});
console.log(`http://127.0.0.1:${server.port}`);
