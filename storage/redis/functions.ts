import { createHash } from "node:crypto";
import { HOUSE_FUNCTIONS } from "./deployment_functions.ts";
import { ROOM_FUNCTIONS } from "./room_functions.ts";

/**
 * What Redis does for us in one step each, as a library of functions that lives in Redis. Keys, below the prefix:
 *
 *     room:NAME:head      {seq, date} of the newest entry: a key of its own, which no trimming lowers
 *     room:NAME:log       a stream, SEQ-0: who did what and when, which never changes
 *     room:NAME:said      which of the entries are messages
 *     room:NAME:words     message → its text as JSON, in its present state; none if it has been deleted
 *     room:NAME:marks     changed message → when it was edited, and the entry that changed it last
 *     room:NAME:id:…      user, action and id → SEQ:DATE of the first entry that had it
 *     room:NAME:settings  {locked, listed, slow_seconds}
 *     rooms, listed       names of rooms: all that hold something, and those that are listed
 *     name:KEY, user:USER who holds a name, and what a user is called until when
 *     epoch, run, secret, bans, swept, told (how many times news was told), and the channel: news
 *
 * Words stand apart from the stream because what stands in a stream can't be rewritten, and what is deleted from it only
 * counts as deleted and stays in memory and in dumps. Here an edit overwrites the words themselves, and earlier edits of
 * the same message, which show the newest text anyway, need no rewriting at all.
 *
 * Keys are made from the prefix inside, so this is not for Redis Cluster.
 */
const SOURCE = String.raw`#!lua name=LIBRARY

-- Lua would write large numbers with an exponent.
local function digits(number) return string.format('%.0f', number) end

local function register(name, callback, flags)
  redis.register_function { function_name = 'LIBRARY_' .. name, callback = callback, flags = flags or {} }
end

local function publish(prefix, kind, origin, count, epoch, body)
  redis.call('PUBLISH', prefix .. ':news', kind .. ' ' .. origin .. ' ' .. count .. ' ' .. epoch .. '\n' .. body)
end

-- A store that was emptied has no epoch: whoever comes first begins one.
local function epoch_of(prefix, candidate)
  local epoch = redis.call('GET', prefix .. ':epoch')
  if not epoch then redis.call('SET', prefix .. ':epoch', candidate) end
  return epoch or candidate
end
` +
  ROOM_FUNCTIONS + HOUSE_FUNCTIONS;

/** The name is that of its content, so that versions of Parley that run side by side each find their own. */
export const LIBRARY = `parley_${createHash("sha256").update(SOURCE).digest("hex").slice(0, 12)}`;

/** What `FUNCTION LOAD` takes. */
export const FUNCTIONS = SOURCE.replaceAll("LIBRARY", LIBRARY);
