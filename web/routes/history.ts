import * as v from "valibot";
import { pageSize } from "../../chat/commands.ts";
import { historyAround, messageAt } from "../../chat/reading/history.ts";
import { pageFor, PEOPLE_LISTED, reactionPeople } from "../../chat/reading/reactions.ts";
import { roomName } from "../../chat/rooms/room_name.ts";
import { ChatError } from "../../chat/errors.ts";
import { describe } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import { reacted, serverFrames } from "../schema/server_frames.ts";
import { afterPerson, asWholeNumber, pageLimit, personIn, place, wholeNumber } from "./query.ts";
import { countRead } from "./reader.ts";

/** A page of history, as it is answered. */
export const history = v.object({
  room: v.string(),
  epoch: v.string(),
  seq: v.number(),
  messages: v.array(serverFrames.receive_message),
  more: v.boolean(),
  reacted: v.optional(reacted),
});

const reactions = v.object({
  reactions: v.array(v.object({
    emoji: v.string(),
    count: v.number(),
    people: v.array(v.object({ user: v.string(), from: v.string() })),
  })),
  more: v.boolean(),
});

/** What a page of history is asked by, apart from how much there may be. */
const PLACES = ["before", "after", "around", "replies_to"] as const;
type Places = { readonly [Name in typeof PLACES[number]]?: number };

/** Reading what has been said: pages of a room's history, one message, and who reacted to it. */
export function addHistory(app: App, services: AppServices): void {
  const { log } = services;

  const aboutHistory = describe({
    id: "getHistory",
    tag: "Chat",
    summary: "A page of a room's history",
    description:
      "The newest messages, or those before, after or around a place: only one of these. `replies_to` is the exception, " +
      "which goes with `after`.",
    query: {
      before: v.pipe(place, v.description("The newest messages before this `seq`.")),
      after: v.pipe(place, v.description("The oldest messages after this `seq`.")),
      around: v.pipe(place, v.description("Half of them before this `seq`, the other half from there on.")),
      replies_to: v.pipe(place, v.description("The oldest messages that answer the message with this `seq`.")),
      limit: pageLimit,
    },
    answers: {
      200: {
        description:
          "Messages as they are now, oldest first. `seq` is the head. `more`: there are older ones; with `after` and " +
          "`replies_to` newer ones.",
        schema: history,
      },
    },
    problems: [401, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/messages", aboutHistory, async (c) => {
    const room = roomName(c.req.param("room"));
    const query = new URL(c.req.url).searchParams;
    const places: Places = Object.fromEntries(PLACES.map((name) => [name, wholeNumber(query, name)]));
    const limit = pageSize(wholeNumber(query, "limit"));
    checkPlaces(places);
    const identity = await countRead(services, c);
    const { before, after, around, replies_to: repliesTo } = places;
    const page = around === undefined
      ? await log.history(room, { before, after, repliesTo, limit })
      : await historyAround(log, room, around, limit);
    const { epoch, seq, messages, more, reacted } = await pageFor(log, room, page, identity?.user);
    // With what the asker gave, it is for nobody else.
    c.header("cache-control", "no-store");
    return c.json({ room, epoch, seq, messages, more, reacted });
  });

  const aboutMessage = describe({
    id: "getMessage",
    tag: "Chat",
    summary: "One message",
    answers: { 200: { description: "The message as it is now.", schema: serverFrames.receive_message } },
    problems: [401, 404, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/messages/:seq", aboutMessage, async (c) => {
    const room = roomName(c.req.param("room"));
    const seq = asWholeNumber(c.req.param("seq"), "seq");
    await countRead(services, c);
    const { message } = await messageAt(log, room, seq);
    c.header("cache-control", "no-store");
    return c.json(message);
  });

  const aboutReactions = describe({
    id: "listReactions",
    tag: "Chat",
    summary: "Who reacted to a message",
    description: `At most ${PEOPLE_LISTED} people of each reaction, in the order of their ids.`,
    query: {
      emoji: v.pipe(v.string(), v.description("This reaction only.")),
      after: afterPerson,
    },
    answers: {
      200: {
        description: "`count` is how many people gave it in all. `more`: a reaction has more people than are here.",
        schema: reactions,
      },
    },
    problems: [401, 404, 422],
    who: "person",
  });
  app.get("/api/rooms/:room/messages/:seq/reactions", aboutReactions, async (c) => {
    const room = roomName(c.req.param("room"));
    const seq = asWholeNumber(c.req.param("seq"), "seq");
    const query = new URL(c.req.url).searchParams;
    const after = personIn(query, "after");
    await countRead(services, c);
    const people = await reactionPeople(log, room, seq, { emoji: query.get("emoji") ?? undefined, after });
    c.header("cache-control", "no-store");
    return c.json(people);
  });
}

/** @throws {ChatError} `bad_frame` if one page can't be all that is asked for */
function checkPlaces({ before, after, around, replies_to }: Places): void {
  if (around !== undefined && (before ?? after ?? replies_to) !== undefined) {
    throw new ChatError(
      "bad_frame",
      'A page "around" a message is asked for by that alone. Leave the other places out.',
    );
  }
  if (before === undefined) return;
  if (after !== undefined) throw new ChatError("bad_frame", "Ask for what is before a place or after it, not both.");
  if (replies_to !== undefined) {
    throw new ChatError("bad_frame", 'Answers to a message are read from the oldest on. Go on with "after".');
  }
}
