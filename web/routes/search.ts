import * as v from "valibot";
import { pageSize } from "../../chat/commands.ts";
import { pageFor } from "../../chat/reading/reactions.ts";
import { roomName } from "../../chat/rooms/room_name.ts";
import { parseQuery, QUERY_LIMIT } from "../../chat/search/query.ts";
import { describe } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import { history } from "./history.ts";
import { pageLimit, personIn, place, USER_LIMIT, wholeNumber } from "./query.ts";
import { countRead } from "./reader.ts";

/**
 * Readings that a search counts as. A store without an index looks at thousands of messages for one; whoever types in
 * a search box, with a search a pause, stays far below two a second.
 */
const SEARCH_COST = 5;

const found = v.object({
  ...history.entries,
  before: v.optional(v.pipe(place, v.description("What to go on with. There while `more` is true."))),
});

/** Finding what has been said in a room. */
export function addSearch(app: App, services: AppServices): void {
  const { log } = services;

  const aboutSearch = describe({
    id: "searchMessages",
    tag: "Chat",
    summary: "Search in a room",
    description:
      "The newest messages that match, as they are now. Deleted ones and earlier words of edited ones are not found. " +
      `A search counts as ${SEARCH_COST} readings.`,
    query: {
      q: v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(QUERY_LIMIT),
        v.description(
          "Words, all of which must occur, and phrases in quotation marks. Words are found at their beginning; Korean, " +
            "Japanese and Chinese anywhere, from two characters on. Case and accents make no difference.",
        ),
      ),
      user: v.pipe(v.string(), v.minLength(1), v.maxLength(USER_LIMIT), v.description("Only messages of this person.")),
      before: v.pipe(place, v.description("Only messages before this `seq`.")),
      limit: pageLimit,
    },
    needed: ["q"],
    answers: {
      200: {
        description:
          "Oldest first. `seq` is the head. `more`: not all has been looked at; go on with `before`. Both may be with " +
          "no message at all, where looking took too long.",
        schema: found,
      },
    },
    problems: [401, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/search", aboutSearch, async (c) => {
    const room = roomName(c.req.param("room"));
    const asked = new URL(c.req.url).searchParams;
    const user = personIn(asked, "user");
    const [before, limit] = [wholeNumber(asked, "before"), pageSize(wholeNumber(asked, "limit"))];
    const query = parseQuery(asked.get("q") ?? "");
    const identity = await countRead(services, c, SEARCH_COST);
    const page = await log.search(room, { query, user, before, limit });
    const { epoch, seq, messages, more, before: next, reacted } = await pageFor(log, room, page, identity?.user);
    c.header("cache-control", "no-store");
    return c.json({ room, epoch, seq, messages, more, before: next, reacted });
  });
}
