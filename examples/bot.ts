/**
 * A bot that rolls a die for whoever says `!roll`: deno run --allow-net examples/bot.ts http://localhost:8000 general
 */
const [url = "http://localhost:8000", room = "general"] = Deno.args;
// Whoever keeps the token is the same bot tomorrow.
const { user, token } = await (await fetch(`${url}/api/session`, { method: "POST" })).json();
let since: { epoch: string; seq: number } | undefined;

function connect(): void {
  const socket = new WebSocket(`${url.replace("http", "ws")}/connect?room=`, ["chat.v1", `bearer.${token}`]);
  const send = (frame: object) => socket.send(JSON.stringify(frame));
  // With `since` nothing is missed that was said while the bot was away.
  socket.onopen = () => send({ action: "join_room", room, since });
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    for (const entry of frame.action !== "room_joined" ? [frame] : frame.recovered ? frame.messages : []) {
      if (entry.action !== "receive_message" || entry.user === user || entry.text !== "!roll") continue;
      const text = `${entry.from} rolls a ${1 + Math.floor(Math.random() * 6)}`;
      // With an `id` of its own each call is answered once, however often it is heard.
      send({ action: "send_message", room, text, id: `roll-${entry.seq}` });
    }
    if (frame.action === "room_joined") since = { epoch: frame.epoch, seq: frame.seq };
    else if (frame.seq && since) since.seq = frame.seq;
  };
  socket.onerror = (event) => event.preventDefault();
  // From 4400 on the server says not to come back.
  socket.onclose = ({ code }) => code < 4400 && setTimeout(connect, 500 + Math.random() * 1_000);
}
connect();
