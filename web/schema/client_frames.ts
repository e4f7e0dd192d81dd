import * as v from "valibot";
import { type ClientFrame, ID_LIMIT } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";

/** Objects that one frame of a batch client may hold: more than a person can mean, far less than 64 KiB of `{}`. */
export const BATCH_LIMIT = 100;

const room = v.string();
const text = v.string();
const id = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(ID_LIMIT)));
const seq = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What each action must look like. Values with a code of their own (a room's name, a text) are the chat's to judge. */
export const clientFrames = {
  join_room: v.pipe(
    v.object({
      action: v.literal("join_room"),
      room,
      since: v.optional(v.object({ epoch: v.string(), seq })),
      limit: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
      id,
    }),
    v.description("Joins a room. Joining again is allowed. With `since` the answer has what was missed."),
  ),
  leave_room: v.pipe(
    v.object({ action: v.literal("leave_room"), room, stream: id, id }),
    v.description("Leaves a room. Over HTTP it ends your event streams there, or only the one named `stream`."),
  ),
  send_message: v.pipe(
    v.object({ action: v.literal("send_message"), room, text, reply_to: v.optional(seq), id }),
    v.description("Sends a message. The same `id` again never makes a second message. `reply_to` is what it answers."),
  ),
  edit_message: v.pipe(
    v.object({ action: v.literal("edit_message"), room, target: seq, text, id }),
    v.description("Changes your message whose `seq` is `target`."),
  ),
  delete_message: v.pipe(
    v.object({ action: v.literal("delete_message"), room, target: seq, id }),
    v.description("Deletes your message whose `seq` is `target`."),
  ),
  react: v.pipe(
    v.object({ action: v.literal("react"), room, target: seq, emoji: v.string(), on: v.boolean(), id }),
    v.description("Gives the message whose `seq` is `target` a reaction, or takes yours back."),
  ),
  set_name: v.pipe(
    v.object({ action: v.literal("set_name"), name: v.string(), id }),
    v.description("Changes your name to one that nobody else has."),
  ),
  typing: v.pipe(
    v.object({ action: v.literal("typing"), room, id }),
    v.description("Tells the others that you are writing. It has no answer."),
  ),
  ping: v.pipe(v.object({ action: v.literal("ping"), id }), v.description("Asks whether the connection works.")),
} satisfies { [A in ClientFrame["action"]]: SchemaOf<Extract<ClientFrame, { action: A }>> };

/** A schema that gives exactly this type, and names each of its fields, the optional ones too. */
export type SchemaOf<Frame> = v.GenericSchema<unknown, Frame> & { entries: { [Field in keyof Frame]-?: unknown } };

/** A frame, or why there is none; `about` is what the answer should be about. */
export type Parsed = { frame: ClientFrame | ChatError; about: { room?: unknown; id?: unknown } };

/**
 * Reads what a socket received: one object, or an array of them where the client speaks the batch protocol.
 * Never throws: what is wrong comes back as a refusal in its place.
 */
export function parseFrames(data: string, batch: boolean): Parsed[] {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return [refused("bad_json", "This is not JSON. Send one JSON object a frame.")];
  }
  // Only an escape can bring NUL or half of a surrogate pair into a frame whose text came as valid UTF-8.
  const suspect = data.includes("\\u");
  if (!batch || !Array.isArray(value)) return [parseFrame(value, suspect)];
  if (value.length > BATCH_LIMIT) {
    return [refused("bad_frame", `A frame holds at most ${BATCH_LIMIT} objects. Send them in parts.`)];
  }
  return value.map((element) => parseFrame(element, suspect));
}

/**
 * Reads one frame from JSON that has been read.
 * @param suspect whether NUL or half of a surrogate pair may be in it
 */
export function parseFrame(value: unknown, suspect: boolean): Parsed {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refused("bad_frame", 'A frame is a JSON object, such as {"action":"ping"}.');
  }
  const { action, room, id } = value as { action?: unknown; room?: unknown; id?: unknown };
  // Only what is short enough to be true comes back in an error.
  const about = { room: short(room), id: short(id) };
  if (suspect && hasUnusableText(value)) {
    return refused("bad_frame", "A frame holds neither NUL nor half of a surrogate pair. Leave them out.", about);
  }
  if (typeof action !== "string" || !Object.hasOwn(clientFrames, action)) {
    return refused("unknown_action", `The action is one of ${Object.keys(clientFrames).join(", ")}.`, about);
  }
  const result = v.safeParse(clientFrames[action as ClientFrame["action"]], value);
  if (result.success) return { frame: result.output, about };
  const [issue] = result.issues;
  return refused("bad_frame", `"${v.getDotPath(issue)}" of ${action} is not right: ${issue.message}.`, about);
}

function refused(code: "bad_json" | "bad_frame" | "unknown_action", message: string, about = {}): Parsed {
  return { frame: new ChatError(code, message), about };
}

function short(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= ID_LIMIT && !hasUnusableText(value) ? value : undefined;
}

/** Looks without recursion: brackets may be nested as deep as a frame is long. */
function hasUnusableText(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === "string" && (next.includes("\0") || !next.isWellFormed())) return true;
    if (typeof next === "object" && next !== null) {
      for (const [key, inner] of Object.entries(next)) left.push(key, inner);
    }
  }
  return false;
}
