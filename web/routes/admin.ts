import { createMiddleware } from "hono/factory";
import * as v from "valibot";
import type { Ban } from "../../chat/storage.ts";
import { BAN_MINUTES_LIMIT, REASON_LIMIT } from "../../chat/moderation/moderator.ts";
import { roomName } from "../../chat/rooms/room_name.ts";
import { ChatError } from "../../chat/errors.ts";
import { SLOW_SECONDS_LIMIT } from "../../chat/limits/slow_mode.ts";
import { readText } from "./body.ts";
import { type About, describe } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import { serverFrames } from "../schema/server_frames.ts";
import { bringsToken } from "../auth/token.ts";

/** Most bytes of a body: the longest reason, all in JSON escapes, and the rest. */
const BODY_LIMIT = 16 * 1024;
/** Most characters of a person's id. */
const USER_LIMIT = 64;

const wholeNumber = (least: number, most: number) => {
  const must = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(must), v.integer(must), v.minValue(least, must), v.maxValue(most, must));
};
const text = (least: number, most: number) => {
  const must = `must be a text of ${least} to ${most} characters, with neither NUL nor half of a surrogate pair`;
  return v.pipe(
    v.string(must),
    v.check((value) => !value.includes("\0") && value.isWellFormed(), must),
    v.check((value) => [...value].length >= least && [...value].length <= most, must),
  );
};
const minutes = (most: number) => {
  const must = `must be a number above 0 and up to ${most}`;
  return v.pipe(v.number(must), v.finite(must), v.gtValue(0, must), v.maxValue(most, must));
};
const yesOrNo = v.boolean("must be true or false");

const roomChange = v.strictObject({
  locked: v.optional(yesOrNo),
  listed: v.optional(yesOrNo),
  slow_seconds: v.optional(wholeNumber(0, SLOW_SECONDS_LIMIT)),
});
const newBan = v.strictObject({
  user: text(1, USER_LIMIT),
  minutes: minutes(BAN_MINUTES_LIMIT),
  reason: v.optional(text(0, REASON_LIMIT), ""),
  address: v.optional(yesOrNo, false),
});

const roomSettings = v.object({ room: v.string(), locked: yesOrNo, listed: yesOrNo, slow_seconds: v.number() });
const shownBan = v.object({
  user: v.string(),
  date: v.number(),
  until: v.number(),
  reason: v.string(),
  address: yesOrNo,
});

/** What moderators do over HTTP. Without their token these addresses look as if there were nothing. */
export function addAdmin(app: App, { adminToken, chat, auditLog, proxies }: AppServices): void {
  if (adminToken === undefined) return;
  const admins = createMiddleware<{ Bindings: Deno.ServeHandlerInfo }>(async (c, next) => {
    if (!await bringsToken(c.req.raw, adminToken)) {
      const addressKey = proxies.addressKey(c.req.raw, c.env.remoteAddr);
      auditLog.refused({ why: "no_moderator", addressKey, path: c.req.path });
      return c.notFound();
    }
    c.header("cache-control", "no-store");
    await next();
  });

  const about = ({ problems = [], ...more }: Omit<About, "tag" | "who">) =>
    describe({ ...more, problems: [...problems, 404], tag: "Moderation", who: "moderator" });
  const aboutDeletion = about({
    id: "deleteMessage",
    summary: "Delete anybody's message",
    answers: { 200: { description: "What everyone in the room gets.", schema: serverFrames.message_deleted } },
    problems: [422],
  });
  app.delete("/api/rooms/:room/messages/:seq{\\d{1,15}}", aboutDeletion, admins, async (c) => {
    return c.json(await chat.moderator.deleteMessage(roomName(c.req.param("room")), Number(c.req.param("seq"))));
  });

  const aboutRoom = about({
    id: "changeRoom",
    summary: "Lock, list or slow down a room",
    description:
      "Nobody can send to a locked room, or react there: reactions are only taken back. A listed room is in `GET /api/rooms`. With `slow_seconds` each person may " +
      "send one message in so many seconds. What you leave out stays as it is.",
    body: roomChange,
    answers: { 200: { description: "The settings as they are now.", schema: roomSettings } },
    problems: [413, 422],
  });
  app.patch("/api/rooms/:room", aboutRoom, admins, async (c) => {
    const room = roomName(c.req.param("room"));
    return c.json({ room, ...await chat.moderator.changeRoom(room, await bodyOf(c.req.raw, roomChange)) });
  });

  const aboutBans = about({
    id: "listBans",
    summary: "The bans that are not over",
    answers: { 200: { description: "The latest first.", schema: v.array(shownBan) } },
  });
  app.get("/api/bans", aboutBans, admins, async (c) => c.json((await chat.moderator.bans()).map(shown)));

  const aboutBan = about({
    id: "banPerson",
    summary: "Ban a person",
    description:
      "From everything but reading. With `address` everyone who comes from this person's address is banned too.",
    body: newBan,
    answers: { 201: { description: "The ban. It replaces the one that this person had.", schema: shownBan } },
    problems: [413],
  });
  app.post("/api/bans", aboutBan, admins, async (c) => {
    return c.json(shown(await chat.moderator.ban(await bodyOf(c.req.raw, newBan))), 201);
  });

  const aboutLifting = about({
    id: "liftBan",
    summary: "Lift a ban",
    answers: { 204: { description: "The ban is lifted." } },
  });
  app.delete("/api/bans/:user", aboutLifting, admins, async (c) => {
    await chat.moderator.unban(c.req.param("user"));
    return c.body(null, 204);
  });
}

/** A ban as moderators see it: whether it includes an address, but not which one. */
function shown({ address, ...ban }: Ban) {
  return { ...ban, address: address !== undefined };
}

/** @throws {ChatError} `bad_json`, `bad_frame`, `frame_too_large` */
async function bodyOf<Entries extends v.ObjectEntries>(
  request: Request,
  schema: v.StrictObjectSchema<Entries, undefined>,
): Promise<v.InferOutput<v.StrictObjectSchema<Entries, undefined>>> {
  // A request with the token does not come from a foreign page, so the content type does not matter.
  const text = await readText(request, BODY_LIMIT);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ChatError("bad_json", "This is not JSON. Send one JSON object.");
  }
  const known = Object.keys(schema.entries);
  if (typeof value !== "object" || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    throw new ChatError("bad_frame", `Send a JSON object with ${known.join(", ")}.`);
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = v.getDotPath(issue);
  if (name === null || !known.includes(name)) {
    throw new ChatError("bad_frame", `"${name}" is not known here. Send ${known.join(", ")}.`);
  }
  throw new ChatError("bad_frame", `"${name}" ${issue.input === undefined ? "is missing" : issue.message}.`);
}
