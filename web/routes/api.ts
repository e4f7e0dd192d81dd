import type { Context } from "hono";
import * as v from "valibot";
import { pageSize } from "../../chat/commands.ts";
import { roomName } from "../../chat/rooms/room_name.ts";
import { MEMBERS_LISTED, PAGE_SIZE, PAGE_SIZE_LIMIT } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";
import { describe } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import { FOREIGN_PAGE, originAllowed } from "../auth/origin.ts";
import { member, serverFrames } from "../schema/server_frames.ts";

const listedRooms = v.array(v.object({ room: v.string(), count: v.number(), seq: v.number(), date: v.number() }));
const history = v.object({
  room: v.string(),
  epoch: v.string(),
  seq: v.number(),
  messages: v.array(serverFrames.receive_message),
  more: v.boolean(),
});

const people = v.object({ room: v.string(), count: v.number(), people: v.array(member), more: v.boolean() });

/** A place in a log, as `wholeNumber` reads it. */
const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10 ** 15 - 1));
/** How much a page may have; values out of range are clamped. */
const limitOf = (words: string, usual: number) =>
  v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_SIZE_LIMIT), v.description(words)),
    usual,
  );
export const pageLimit = limitOf("How many messages there may be.", PAGE_SIZE);
/** UTF-16 units of an id after which a page of people may begin: far more than any id has. */
const AFTER_LIMIT = 256;

/** Reading over HTTP: rooms and history. Also what holds for all calls under `/api`. */
export function addApi(app: App, services: AppServices): void {
  const { identities } = services;

  app.use("/api/*", async (c, next) => {
    if (c.req.method === "GET" || originAllowed(c.req.raw, services.allowedOrigins)) return await next();
    throw new ChatError("forbidden", FOREIGN_PAGE);
  });

  const aboutRooms = describe({
    id: "listRooms",
    tag: "Chat",
    summary: "The rooms that are listed",
    answers: { 200: { description: "`general`, then the rooms that a moderator has listed.", schema: listedRooms } },
    problems: [401],
    who: "person",
  });
  app.get("/api/rooms", aboutRooms, async (c) => {
    await countRead(c);
    c.header("cache-control", "no-store");
    return c.json(await services.chat.directory.rooms());
  });

  const aboutHistory = describe({
    id: "getHistory",
    tag: "Chat",
    summary: "A page of a room's history",
    description: "The newest messages, or those before or after a place, not both.",
    query: {
      before: v.pipe(place, v.description("The newest messages before this `seq`.")),
      after: v.pipe(place, v.description("The oldest messages after this `seq`.")),
      limit: pageLimit,
    },
    answers: { 200: { description: "Messages as they are now, oldest first. `seq` is the head.", schema: history } },
    problems: [401, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/messages", aboutHistory, async (c) => {
    const room = roomName(c.req.param("room"));
    const query = new URL(c.req.url).searchParams;
    const before = wholeNumber(query, "before");
    const after = wholeNumber(query, "after");
    const limit = wholeNumber(query, "limit");
    if (before !== undefined && after !== undefined) {
      throw new ChatError("bad_frame", "Ask for what is before a place or after it, not both.");
    }
    await countRead(c);
    const page = await services.log.history(room, { before, after, limit: pageSize(limit) });
    c.header("cache-control", "no-store");
    return c.json({ room, epoch: page.epoch, seq: page.seq, messages: page.messages, more: page.more });
  });

  const aboutPeople = describe({
    id: "listPeople",
    tag: "Chat",
    summary: "The people in a room",
    description: "Everyone who is here, a page at a time, in the order of their ids: whoever stays is on one page.",
    query: {
      after: v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(AFTER_LIMIT),
        v.description("The `user` after whom the page begins: the last one of the page before."),
      ),
      limit: limitOf("How many people there may be.", MEMBERS_LISTED),
    },
    answers: { 200: { description: "`count` is how many people are here in all.", schema: people } },
    problems: [401, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/people", aboutPeople, async (c) => {
    const room = roomName(c.req.param("room"));
    const query = new URL(c.req.url).searchParams;
    const after = query.get("after");
    const limit = wholeNumber(query, "limit") ?? MEMBERS_LISTED;
    if (after !== null && (after === "" || after.length > AFTER_LIMIT)) {
      throw new ChatError("bad_frame", '"after" is the user of a person: the last one of the page before.');
    }
    await countRead(c);
    const { cluster } = services.chat.services;
    const page = cluster.peopleIn(room, after ?? "", pageSize(limit));
    c.header("cache-control", "no-store");
    return c.json({ room, count: cluster.countIn(room), people: page.people, more: page.more });
  });

  /** Counts one reading. @throws {ChatError} `rate_limited`, and `forbidden` if people need an external token */
  async function countRead({ req, env }: Context<{ Bindings: Deno.ServeHandlerInfo }>): Promise<void> {
    const identity = await identities.identifyReader(req.raw);
    services.chat.services.rateLimiter.admit(
      identity?.user,
      services.proxies.addressKey(req.raw, env.remoteAddr),
      "reads",
    );
  }
}

/**
 * A number in a query, read by the URL's own parser: Hono's throws at each broken escape, of which a request can have
 * thousands.
 * @throws {ChatError} `bad_frame`
 */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new ChatError("bad_frame", `"${name}" is a whole number.`);
  return Number(text);
}
