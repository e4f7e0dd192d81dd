/**
 * An incoming webhook: what a service posts to it as `{"text": …}` is said in a room, once, however often it is
 * delivered. SECRET=long-random-text deno run --allow-net --allow-env=SECRET examples/webhook.ts http://localhost:8000
 * builds 8001 Then have the service post to http://this-machine:8001/long-random-text
 */
const [url = "http://localhost:8000", room = "general", port = "8001"] = Deno.args;
const path = `/${Deno.env.get("SECRET")}`;
const { token } = await (await fetch(`${url}/api/session`, { method: "POST" })).json();

const server = Deno.serve({ port: Number(port), onListen() {} }, async (request) => {
  if (path.length < 16 || new URL(request.url).pathname !== path) return new Response("Not found\n", { status: 404 });
  const { text } = await request.json().catch(() => ({}));
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  // GitHub and GitLab name each delivery, and name it the same when they repeat it.
  const delivery = request.headers.get("x-github-delivery") ?? request.headers.get("x-gitlab-event-uuid");
  if (delivery) headers["idempotency-key"] = delivery;
  const answer = await fetch(`${url}/api/rooms/${encodeURIComponent(room)}/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ text }),
  });
  return new Response(answer.body, { status: answer.status, headers: { "content-type": "application/json" } });
});
console.log(`http://localhost:${server.addr.port}`);
