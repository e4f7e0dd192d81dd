import * as v from "valibot";
import { pageSize } from "../../chat/commands.ts";
import { roomName } from "../../chat/rooms/room_name.ts";
import { MEMBERS_LISTED } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";
import { describe } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import { FOREIGN_PAGE, originAllowed } from "../auth/origin.ts";
import { member } from "../schema/server_frames.ts";
import { afterPerson, limitOf, personIn, wholeNumber } from "./query.ts";
import { countRead } from "./reader.ts";

const listedRooms = v.array(v.object({ room: v.string(), count: v.number(), seq: v.number(), date: v.number() }));
const people = v.object({ room: v.string(), count: v.number(), people: v.array(member), more: v.boolean() });

/** Reading over HTTP: rooms and the people in them. Also what holds for all calls under `/api`. */
export function addApi(app: App, services: AppServices): void {
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
    await countRead(services, c);
    c.header("cache-control", "no-store");
    return c.json(await services.chat.directory.rooms());
  });

  const aboutPeople = describe({
    id: "listPeople",
    tag: "Chat",
    summary: "The people in a room",
    description: "Everyone who is here, a page at a time, in the order of their ids: whoever stays is on one page.",
    query: {
      after: afterPerson,
      limit: limitOf("How many people there may be.", MEMBERS_LISTED),
    },
    answers: { 200: { description: "`count` is how many people are here in all.", schema: people } },
    problems: [401, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/people", aboutPeople, async (c) => {
    const room = roomName(c.req.param("room"));
    const query = new URL(c.req.url).searchParams;
    const after = personIn(query, "after");
    const limit = wholeNumber(query, "limit") ?? MEMBERS_LISTED;
    await countRead(services, c);
    const { cluster } = services.chat.services;
    const page = await cluster.peopleIn(room, after ?? "", pageSize(limit));
    c.header("cache-control", "no-store");
    return c.json({ room, count: page.count, people: page.people, more: page.more });
  });
}
