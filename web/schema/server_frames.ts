import * as v from "valibot";
import type { ErrorCode, Limits, Member, ServerFrame } from "../../chat/protocol.ts";
import type { SchemaOf } from "./client_frames.ts";
import { PROBLEMS } from "./problem.ts";

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const id = v.optional(v.string());
const yesOrNo = v.boolean();
const seq = count;
const date = v.pipe(v.number(), v.safeInteger(), v.description("Milliseconds since 1970."));

/** With `name_taken`, for whoever asked. */
export const heldUntil = v.pipe(
  v.number(),
  v.safeInteger(),
  v.description("When this name becomes free, milliseconds since 1970. Absent while the person who has it is here."),
);

export const member = v.object({ user: text, name: text }) satisfies SchemaOf<Member>;

export const limits = v.object({
  text: count,
  name: count,
  frame: count,
  rooms: count,
  ping_seconds: count,
}) satisfies SchemaOf<Limits>;

const entries = {
  receive_message: v.pipe(
    v.object({
      action: v.literal("receive_message"),
      room: text,
      seq,
      user: text,
      from: text,
      reply_to: v.optional(seq),
      text: v.optional(text),
      date,
      id,
      edited: v.optional(date),
      deleted: v.optional(v.literal(true)),
      reactions: v.optional(v.array(v.object({ emoji: text, count, users: v.array(text) }))),
      replies: v.optional(count),
    }),
    v.description("A message. For its author, with the `id` that it was sent with, this is the acknowledgement."),
  ),
  message_edited: v.pipe(
    v.object({ action: v.literal("message_edited"), room: text, seq, target: seq, user: text, text, date, id }),
    v.description("The message whose `seq` is `target` has a new text."),
  ),
  message_deleted: v.pipe(
    v.object({ action: v.literal("message_deleted"), room: text, seq, target: seq, user: text, date, id }),
    v.description("The message whose `seq` is `target` is gone."),
  ),
  message_reacted: v.pipe(
    v.object({
      action: v.literal("message_reacted"),
      room: text,
      seq,
      target: seq,
      changes: v.array(v.object({ user: text, from: text, emoji: text, on: yesOrNo })),
      date,
    }),
    v.description("People gave the message whose `seq` is `target` reactions, or took theirs back."),
  ),
  unknown_entry: v.pipe(
    v.object({ action: v.literal("unknown_entry"), room: text, seq, date }),
    v.description("An entry of a kind that only a newer server knows. Count its `seq` and change nothing else."),
  ),
};

/** One entry of a room's log. */
export const entry = v.variant("action", Object.values(entries));

/** By the `seq` of messages, the emoji that you gave them. */
export const reacted = v.pipe(
  v.record(text, v.array(text)),
  v.description("The reactions that you gave, by the `seq` of the message."),
);

const CODES = Object.keys(PROBLEMS) as ErrorCode[];

/** What the server says, each frame as `chat/protocol.ts` has it. */
export const serverFrames = {
  ...entries,
  welcome: v.pipe(
    v.object({ action: v.literal("welcome"), user: text, name: text, token: v.optional(text), limits }),
    v.description("Who you are, and the limits of this server. With the `token` you come back as the same person."),
  ),
  room_joined: v.pipe(
    v.object({
      action: v.literal("room_joined"),
      room: text,
      epoch: text,
      seq,
      recovered: yesOrNo,
      messages: v.array(entry),
      more: yesOrNo,
      reacted: v.optional(reacted),
      members: v.array(member),
      count,
      locked: yesOrNo,
      slow_seconds: count,
      id,
    }),
    v.description(
      "The room as it is now. If `recovered`, `messages` is exactly what came after `since`, else the newest page.",
    ),
  ),
  reacted: v.pipe(
    v.object({ action: v.literal("reacted"), room: text, target: seq, emoji: text, on: yesOrNo, id }),
    v.description("Your reaction is stored. Only you are told."),
  ),
  room_left: v.pipe(
    v.object({ action: v.literal("room_left"), room: text, id }),
    v.description("You have left the room."),
  ),
  member_joined: v.pipe(
    v.object({ action: v.literal("member_joined"), room: text, user: text, name: text }),
    v.description("Somebody has come."),
  ),
  member_left: v.pipe(
    v.object({ action: v.literal("member_left"), room: text, user: text, name: text }),
    v.description("Somebody has gone."),
  ),
  room_count: v.pipe(
    v.object({ action: v.literal("room_count"), room: text, count }),
    v.description("How many people are here, in place of the two above in rooms of more than 100."),
  ),
  room_changed: v.pipe(
    v.object({ action: v.literal("room_changed"), room: text, locked: yesOrNo, slow_seconds: count }),
    v.description("A moderator has locked or unlocked the room, or changed its slow mode."),
  ),
  name_changed: v.pipe(
    v.object({ action: v.literal("name_changed"), user: text, name: text, was: text, id }),
    v.description("Somebody has a new name."),
  ),
  typing: v.pipe(
    v.object({ action: v.literal("typing"), room: text, user: text, name: text }),
    v.description("Somebody is writing."),
  ),
  pong: v.pipe(v.object({ action: v.literal("pong"), id }), v.description("The answer to `ping`.")),
  error: v.pipe(
    v.object({
      action: v.literal("error"),
      code: v.picklist(CODES),
      message: text,
      room: v.optional(text),
      id,
      retry_after: v.optional(v.pipe(v.number(), v.description("Seconds."))),
      held_until: v.optional(heldUntil),
    }),
    v.description("Your action was refused, and why."),
  ),
} satisfies { [A in ServerFrame["action"]]: SchemaOf<Extract<ServerFrame, { action: A }>> };
