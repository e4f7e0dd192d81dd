import { createHash } from "node:crypto";
import { DEPLOYMENT_FUNCTIONS } from "./deployment.ts";
import { ROOM_FUNCTIONS } from "./rooms.ts";

/**
 * What Redis does for us in one step each: a library of functions that lives in Redis. Functions know no kind of entry:
 * the rulebook has decided what they keep. Keys:
 *
 *     PREFIX:{ROOM}:head        seq and date of the newest entry, and how many messages there were; the room's own epoch,
 *                               and that of all rooms with which it ends (of)
 *     PREFIX:{ROOM}:log         a stream, SEQ-0: each entry as JSON with what finds it, which never changes
 *     PREFIX:{ROOM}:messages    which of the entries are messages
 *     PREFIX:{ROOM}:documents   message → its present state as JSON; none once it has expired
 *     PREFIX:{ROOM}:versions    changed message → the entries that changed it last and that show it last
 *     PREFIX:{ROOM}:keys:SEQ    keys that belong to a message's document, sorted, each with its value
 *     PREFIX:{ROOM}:erasable:SEQ  what is erasable of the entries about a message
 *     PREFIX:{ROOM}:answers:SEQ  the messages that answer this one and are not erased
 *     PREFIX:{ROOM}:id:…        user, action and id → SEQ DATE ORDINAL of the first entry that had it; once that is removed
 *                               from the log, also the entry as JSON
 *     PREFIX:{ROOM}:settings    locked, listed, slow_seconds, version
 *     PREFIX:{.names}:…         name:KEY, user:USER: who holds a name, and what a user is called until when
 *     PREFIX:{.all}:…           epoch, run, secret, swept, bans; rooms, listed: names of rooms that hold something
 *     PREFIX:{ROOM}:news        the sharded channel of a room: new entries, and events about it
 *     PREFIX:news               the channel that every process hears: pulses, and events about no room
 *
 * A call is about keys of one tag, or (append, records) of several rooms: where rooms live on several nodes, those of
 * one node. Documents stand apart from the stream because what stands in a stream can't be rewritten, and what is
 * deleted from it only counts as deleted and stays in memory and in dumps.
 */
const SOURCE = String.raw`#!lua name=LIBRARY

-- Lua would write large numbers with an exponent.
local function digits(number) return string.format('%.0f', number) end

local function writing(name, callback)
  redis.register_function { function_name = 'LIBRARY_' .. name, callback = callback }
end

-- What only reads is done also where the memory is full.
local function reading(name, callback)
  redis.register_function { function_name = 'LIBRARY_' .. name, callback = callback, flags = { 'no-writes' } }
end

local function publish(channel, kind, origin, body)
  redis.call('PUBLISH', channel, kind .. ' ' .. origin .. '\n' .. body)
end

-- An error would come when the writes before it stand. What nobody is told is found by looking at the log.
local function publish_in_room(base, kind, origin, body)
  redis.pcall('SPUBLISH', base .. ':news', kind .. ' ' .. origin .. '\n' .. body)
end
` +
  ROOM_FUNCTIONS + DEPLOYMENT_FUNCTIONS;

/** The name is that of its content, so that versions of Parley that run side by side each find their own. */
export const LIBRARY = `parley_${createHash("sha256").update(SOURCE).digest("hex").slice(0, 12)}`;

/** What `FUNCTION LOAD` takes. */
export const FUNCTIONS = SOURCE.replaceAll("LIBRARY", LIBRARY);
