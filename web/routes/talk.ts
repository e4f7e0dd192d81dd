import type { Context } from "hono";
import * as v from "valibot";
import { rateLimitedActionOf } from "../../chat/limits/rate_limiter.ts";
import { type CommandResult, executeRequest } from "../../chat/commands.ts";
import { roomName } from "../../chat/rooms/room_name.ts";
import { type ClientFrame, ID_LIMIT, type Position } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";
import { pageLimit, wholeNumber } from "./query.ts";
import { readJson } from "./body.ts";
import { clientFrame, describe, serverFrame } from "../schema/describe.ts";
import { EVENT_HEADERS } from "../transport/sse.ts";
import { clientFrames, parseFrame, parseFrames } from "../schema/client_frames.ts";
import type { App, AppServices } from "../services.ts";
import type { Identity } from "../auth/sessions.ts";
import { mayListen } from "../auth/origin.ts";
import { HttpRefusal } from "../schema/problem.ts";
import { serverFrames } from "../schema/server_frames.ts";

/** The header with the token of a person that a request has made. */
export const TOKEN_HEADER = "x-session-token";
/** A position as in `Last-Event-ID`. */
const POSITION = /^([!-9;-~]{1,64}):(\d{1,15})$/;

/** A client's own name for something, as `asId` checks it. */
const ownName = v.pipe(v.string(), v.regex(/^[!-~]+$/), v.maxLength(ID_LIMIT));

/** The chat without a socket: a room as an event stream, messages and all other actions by POST. */
export function addTalk(app: App, services: AppServices): void {
  const { identities, chat, streams } = services;

  const aboutEvents = describe({
    id: "openEventStream",
    tag: "Chat",
    summary: "A room as an event stream",
    description:
      "Each frame is an event named after its action. Entries of the log have the event id EPOCH:SEQ. The first event " +
      "is room_joined, then comes welcome. While the stream is open you are a member of the room. Before the server " +
      "ends it, it sends a close event with the code and reason that a WebSocket would have got.",
    query: { limit: pageLimit, stream: v.pipe(ownName, v.description("Your own name for it, for leave_room.")) },
    headers: { "Last-Event-ID": v.pipe(v.string(), v.description("EPOCH:SEQ of the last entry that you have seen.")) },
    answers: { 200: { description: "Frames.", schema: serverFrame, type: "text/event-stream" } },
    problems: [401, 403, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/events", aboutEvents, async (c) => {
    // An open stream makes a member, and a foreign page must not make one of somebody.
    if (!mayListen(c.req.raw, services.allowedOrigins)) {
      throw new ChatError(
        "forbidden",
        "A page elsewhere, or a window of its own, may not listen. The chat's own page may, one whose origin is in " +
          "ALLOWED_ORIGINS, and a program, which leaves the Origin header out.",
      );
    }
    const room = roomName(c.req.param("room"));
    const query = new URL(c.req.url).searchParams;
    const limit = wholeNumber(query, "limit");
    const name = asId(query.get("stream") ?? undefined, "stream");
    if (c.req.raw.method === "HEAD") return c.body(null, 200, EVENT_HEADERS);
    const address = addressOf(c);
    const identity = await identify(c.req.raw) ?? identities.newcomer(address);
    const since = positionIn(c.req.header("last-event-id"));
    return await streams.open({ ...identity, room, limit, name, since, address });
  });

  const { receive_message: message } = serverFrames;
  const { text, reply_to } = clientFrames.send_message.entries;
  const newToken = { [TOKEN_HEADER]: "The token of the person that was made for you, if you sent none." };
  const aboutMessages = describe({
    id: "sendMessage",
    tag: "Chat",
    summary: "Send a message to a room",
    description: "Without a token the message comes from a new person. An `Idempotency-Key` needs a token.",
    headers: { "Idempotency-Key": v.pipe(ownName, v.description("The same one again never makes a second message.")) },
    body: v.object({ text, reply_to }),
    answers: {
      201: { description: "The message is stored and sent to everyone.", schema: message, headers: newToken },
      200: { description: "The key was seen before: the first message with it.", schema: message },
    },
    problems: [401, 404, 413, 415, 422, 429],
    who: "person",
  });
  app.post("/api/rooms/:room/messages", aboutMessages, async (c) => {
    const identity = await identify(c.req.raw);
    const id = asId(unquoted(c.req.header("idempotency-key")), "Idempotency-Key");
    const said = messageIn(await readJson(c.req.raw, chat.services.limits.frame));
    const { frame } = parseFrame({ action: "send_message", room: c.req.param("room"), ...said, id }, true);
    const { headers, done } = await run(identity, addressOf(c), frame);
    return c.json(done.frame, done.repeated ? 200 : 201, headers);
  });

  const aboutActions = describe({
    id: "sendAction",
    tag: "Chat",
    summary: "Every action of a WebSocket",
    description:
      "It makes nobody a member: join_room only shows the room. ping, join_room and send_message without an " +
      "id need no token.",
    body: clientFrame,
    answers: {
      200: { description: "The frame that a WebSocket would have got.", schema: serverFrame, headers: newToken },
      204: { description: "Done. A WebSocket would have got nothing." },
    },
    problems: [401, 404, 409, 413, 415, 422],
    who: "person",
  });
  app.post("/api/actions", aboutActions, async (c) => {
    const identity = await identify(c.req.raw);
    const [{ frame }] = parseFrames(await readJson(c.req.raw, chat.services.limits.frame), false);
    const { headers, done } = await run(identity, addressOf(c), frame);
    return done.frame ? c.json(done.frame, 200, headers) : c.body(null, 204, headers);
  });

  function addressOf({ req, env }: Context<{ Bindings: Deno.ServeHandlerInfo }>): string {
    return services.proxies.addressKey(req.raw, env.remoteAddr);
  }

  async function identify(request: Request): Promise<Identity | undefined> {
    const identity = await identities.identify(request);
    if (identity === "bad token") throw new HttpRefusal(401, "forbidden", "The token is no good. Ask for another one.");
    return identity ?? await identities.identifyReader(request);
  }

  /** Executes a frame. A message from someone unknown makes a person; all else but reading needs a known one. */
  async function run(identity: Identity | undefined, address: string, frame: ClientFrame | ChatError): Promise<{
    headers: Record<string, string>;
    done: CommandResult;
  }> {
    chat.services.rateLimiter.admit(identity?.user, address, rateLimitedActionOf(frame));
    if (frame instanceof ChatError) throw frame;
    const headers: Record<string, string> = { "cache-control": "no-store" };
    if (identity || frame.action === "join_room" || frame.action === "ping") {
      return { headers, done: await executeRequest(chat.services, { ...identity, address }, frame) };
    }
    if (frame.action !== "send_message" || frame.id !== undefined) {
      throw new HttpRefusal(401, "forbidden", "Only a person can do this. POST /api/session makes you one.");
    }
    const { user, token } = identities.newcomer(address);
    const done = await executeRequest(chat.services, { user, address }, frame);
    return { headers: { ...headers, [TOKEN_HEADER]: token }, done };
  }
}

/** @throws {ChatError} `bad_json`, `bad_frame` */
function messageIn(body: string): { text: unknown; reply_to: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ChatError("bad_json", 'The body is not JSON. Send {"text":"…"}.');
  }
  if (typeof value === "object" && value !== null && "text" in value) {
    return { text: value.text, reply_to: "reply_to" in value ? value.reply_to : undefined };
  }
  throw new ChatError("bad_frame", 'The body has no text. Send {"text":"…"}.');
}

/** @throws {ChatError} `bad_frame` */
function asId(value: string | undefined, name: string): string | undefined {
  if (value === undefined || /^[!-~]+$/.test(value) && value.length <= ID_LIMIT) return value;
  throw new ChatError("bad_frame", `"${name}" is 1 to ${ID_LIMIT} printable characters without spaces.`);
}

/** The draft standard of `Idempotency-Key` has it in quotes; many clients leave them out. */
function unquoted(value: string | undefined): string | undefined {
  return value?.replace(/^"(.*)"$/, "$1");
}

/** Reads a position. An invalid one counts as none, and `room_joined` then says that nothing was resumed. */
function positionIn(header: string | undefined): Position | undefined {
  const [, epoch, seq] = POSITION.exec(header ?? "") ?? [];
  return epoch === undefined ? undefined : { epoch, seq: Number(seq) };
}
