// Socket.IO as its documentation has it: rooms and `io.to(room).emit`.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => {
  socket.join(socket.handshake.query.room);
  let seq = 0;
  socket.on("send_message", ({ room, text }) => {
    const message = { action: "receive_message", room, seq: ++seq, from: "User 482", text, date: Date.now() };
    io.to(room).emit("receive_message", message);
  });
});
http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}`));
