/** What Redis does with the rooms' logs: a part of the library in `redis_functions.ts`, where the keys are explained. */
export const ROOM_FUNCTIONS = String.raw`
local ID_MEMORY = 24 * 60 * 60 * 1000
-- Entries looked at in one go, and let go of in one call at most: about ten milliseconds of Redis.
local CHUNK = 64
local TRIM_LIMIT = 1024
local ACTION = { m = 'receive_message', e = 'message_edited', d = 'message_deleted' }

local function open_room(prefix, name)
  local base = prefix .. ':room:' .. name .. ':'
  local head = redis.call('HMGET', base .. 'head', 'seq', 'date')
  return {
    name = name, json = cjson.encode(name), seq = tonumber(head[1] or 0), date = tonumber(head[2] or 0),
    head = base .. 'head', log = base .. 'log', words = base .. 'words', marks = base .. 'marks', ids = base .. 'id:',
    settings = base .. 'settings', said = base .. 'said', rooms = prefix .. ':rooms',
  }
end

local function to_entry(raw)
  local fields = raw[2]
  return {
    seq = tonumber(string.match(raw[1], '^%d+')), kind = fields[2], user = fields[4], date = tonumber(fields[6]),
    target = fields[8], key = fields[10], fixed = fields[12],
  }
end

local function find(room, seq)
  if not string.match(seq, '^%d+$') or #seq > 16 then return nil end
  local raw = redis.call('XRANGE', room.log, seq .. '-0', seq .. '-0')[1]
  return raw and to_entry(raw)
end

-- kept: {messages, oldest}, each 0 for no limit.
local function is_held(room, entry, kept)
  return (kept.messages == 0 or entry.seq > room.seq - kept.messages) and entry.date >= kept.oldest
end

local function to_json(room, entry, words, edited)
  local json = '{"action":"' .. ACTION[entry.kind] .. '","room":' .. room.json .. ',"seq":' .. digits(entry.seq)
    .. ',' .. entry.fixed .. ',"date":' .. digits(entry.date)
  if entry.kind == 'm' then
    json = json .. (words and ',"text":' .. words or ',"deleted":true')
    if edited and edited ~= '' then json = json .. ',"edited":' .. edited end
  elseif entry.kind == 'e' then
    json = json .. ',"text":' .. (words or '""')
  end
  return json .. '}'
end

-- The entries as JSON, in their present state.
local function present(room, entries)
  if #entries == 0 then return {} end
  local messages = {}
  for at, entry in ipairs(entries) do messages[at] = entry.kind == 'm' and digits(entry.seq) or entry.target end
  local words = redis.call('HMGET', room.words, unpack(messages))
  local marks = redis.call('HMGET', room.marks, unpack(messages))
  local page = {}
  for at, entry in ipairs(entries) do
    page[at] = to_json(room, entry, words[at], marks[at] and string.match(marks[at], '^%d*'))
  end
  return page
end

-- Words are let go of with the last entry that shows them, which may be an edit that is held longer than its message.
local function forget(room, entry, now)
  local message = entry.kind == 'm' and digits(entry.seq) or entry.target
  local mark = redis.call('HGET', room.marks, message)
  local last = mark and tonumber(string.match(mark, '%d+$')) or tonumber(message)
  if last <= entry.seq then
    redis.call('HDEL', room.words, message)
    redis.call('HDEL', room.marks, message)
  end
  if entry.key == '' then return end
  local first = redis.call('GET', room.ids .. entry.key)
  if first and string.match(first, '^%d+') == digits(entry.seq) then
    redis.call('PEXPIRE', room.ids .. entry.key, digits(math.max(0, entry.date + ID_MEMORY - now)))
  end
end

-- Lets go of what has expired. Tells whether more is left to do.
local function trim(room, kept, now)
  if kept.messages == 0 and kept.oldest == 0 then return false end
  for _ = 1, TRIM_LIMIT / CHUNK do
    local chunk = redis.call('XRANGE', room.log, '-', '+', 'COUNT', CHUNK)
    local last = nil
    for _, raw in ipairs(chunk) do
      local entry = to_entry(raw)
      if is_held(room, entry, kept) then break end
      forget(room, entry, now)
      last = entry.seq
    end
    if last then
      redis.call('XTRIM', room.log, 'MINID', '=', digits(last + 1) .. '-0')
      redis.call('ZREMRANGEBYSCORE', room.said, '-inf', digits(last))
    end
    if #chunk < CHUNK or last ~= to_entry(chunk[#chunk]).seq then return false end
  end
  return true
end

local function is_locked(room)
  if room.locked == nil then room.locked = redis.call('HGET', room.settings, 'locked') == '1' end
  return room.locked
end

local function keep_one(room, draft, kept, now)
  if draft.key ~= '' then
    local first = redis.call('GET', room.ids .. draft.key)
    local seq, date = string.match(first or '', '^(%d+):(%d+)$')
    local entry = seq and find(room, seq)
    if entry and is_held(room, entry, kept) then return { 'repeated', present(room, { entry })[1] } end
    if seq and tonumber(date) > now - ID_MEMORY then return { 'gone', seq, date } end
  end
  if draft.how == 'again' then return { 'refused', 'not_found' } end
  if draft.kind ~= 'd' and is_locked(room) then return { 'refused', 'locked' } end
  local date = math.max(room.date, now)
  local seq = room.seq + 1
  local edited = ''
  if draft.kind ~= 'm' then
    local target = find(room, draft.target)
    local words = target and target.kind == 'm' and is_held(room, target, kept)
      and redis.call('HEXISTS', room.words, draft.target) == 1
    if not words then return { 'refused', 'not_found' } end
    if target.user ~= draft.user and draft.how ~= 'moderator' then return { 'refused', 'forbidden' } end
    if draft.kind == 'e' then
      redis.call('HSET', room.words, draft.target, draft.words)
      edited = digits(date)
    else
      redis.call('HDEL', room.words, draft.target)
      edited = string.match(redis.call('HGET', room.marks, draft.target) or '', '^%d*')
    end
    redis.call('HSET', room.marks, draft.target, edited .. ':' .. digits(seq))
  else
    redis.call('HSET', room.words, digits(seq), draft.words)
    redis.call('ZADD', room.said, digits(seq), digits(seq))
  end
  local entry = { seq = seq, kind = draft.kind, date = date, fixed = draft.fixed }
  redis.call('XADD', room.log, digits(seq) .. '-0', 'kind', draft.kind, 'user', draft.user, 'date', digits(date),
    'target', draft.target, 'key', draft.key, 'fixed', draft.fixed)
  if draft.key ~= '' then redis.call('SET', room.ids .. draft.key, digits(seq) .. ':' .. digits(date)) end
  if room.seq == 0 then redis.call('SADD', room.rooms, room.name) end
  room.seq, room.date, room.changed = seq, date, true
  return { 'kept', digits(seq), digits(date) }, to_json(room, entry, draft.words)
end

-- Keeps drafts of any number of rooms, in order, and tells everyone: dedupe, place, words and news are one step.
local function append(keys, args)
  local prefix, origin, now = keys[1], args[1], tonumber(args[2])
  local kept = { messages = tonumber(args[3]), oldest = tonumber(args[4]) }
  local epoch = epoch_of(prefix, args[5])
  local rooms, news, outcomes = {}, {}, {}
  for at = 6, #args, 8 do
    local name = args[at]
    local room = rooms[name] or open_room(prefix, name)
    rooms[name] = room
    local outcome, json = keep_one(room, {
      kind = args[at + 1], user = args[at + 2], key = args[at + 3], target = args[at + 4], words = args[at + 5],
      fixed = args[at + 6], how = args[at + 7],
    }, kept, now)
    outcomes[#outcomes + 1] = outcome
    if json then news[#news + 1] = json end
  end
  for _, room in pairs(rooms) do
    if room.changed then
      redis.call('HSET', room.head, 'seq', digits(room.seq), 'date', digits(room.date))
      trim(room, kept, now)
    end
  end
  if #news > 0 then
    local count = redis.call('INCR', prefix .. ':told')
    publish(prefix, 'log', origin, count, epoch, '[' .. table.concat(news, ',') .. ']')
  end
  return { epoch, outcomes }
end

-- The next entries between two places. However many changes lie between two messages, only messages cost something.
local function chunk_of(room, query, low, high)
  local from, to = digits(low + 1), digits(high - 1)
  if not query.messages then return redis.call('XRANGE', room.log, from, to, 'COUNT', CHUNK) end
  local places = query.down
    and redis.call('ZRANGE', room.said, to, from, 'BYSCORE', 'REV', 'LIMIT', '0', CHUNK)
    or redis.call('ZRANGE', room.said, from, to, 'BYSCORE', 'LIMIT', '0', CHUNK)
  local chunk = {}
  for at, seq in ipairs(places) do chunk[at] = redis.call('XRANGE', room.log, seq .. '-0', seq .. '-0')[1] end
  return chunk
end

-- Walks the log up or down within bounds and fills a page; 'more' tells that something was left.
local function fill(room, query, kept)
  local rows, bytes, more = {}, 0, false
  local floor = kept.messages == 0 and 0 or math.max(0, room.seq - kept.messages)
  local low, high = math.max(query.low, floor), query.high
  while low < high - 1 and not more do
    local chunk = chunk_of(room, query, low, high)
    local entries, ended = {}, #chunk < CHUNK
    for _, raw in ipairs(chunk) do
      local entry = to_entry(raw)
      if query.down then high = entry.seq else low = entry.seq end
      if entry.date < kept.oldest then
        if query.down then ended = true break end
      else
        entries[#entries + 1] = entry
      end
    end
    for _, json in ipairs(present(room, entries)) do
      bytes = bytes + #json
      more = #rows == query.limit or (bytes > query.bytes and #rows > 0)
      if more then break end
      rows[#rows + 1] = json
    end
    if ended then break end
  end
  return rows, more
end

local function history(keys, args)
  local room = open_room(keys[1], args[1])
  local kept = { messages = tonumber(args[2]), oldest = tonumber(args[3]) }
  local down = args[6] == 'before'
  local place = tonumber(args[7])
  local rows, more = fill(room, {
    limit = tonumber(args[4]), bytes = tonumber(args[5]), down = down, messages = true,
    low = down and 0 or place, high = down and math.min(place, room.seq + 1) or room.seq + 1,
  }, kept)
  return { redis.call('GET', keys[1] .. ':epoch'), digits(room.seq), rows, more and 1 or 0 }
end

local function read(keys, args)
  local room = open_room(keys[1], args[1])
  local kept = { messages = tonumber(args[2]), oldest = tonumber(args[3]) }
  local after = tonumber(args[6])
  local rows = fill(room, {
    limit = tonumber(args[4]), bytes = tonumber(args[5]), low = after, high = room.seq + 1,
  }, kept)
  return { redis.call('GET', keys[1] .. ':epoch'), digits(room.seq), rows, #rows == room.seq - after and 1 or 0 }
end

local function sweep(keys, args)
  local kept = { messages = tonumber(args[2]), oldest = tonumber(args[3]) }
  return trim(open_room(keys[1], args[1]), kept, tonumber(args[4])) and 1 or 0
end

register('append', append)
register('sweep', sweep)
register('history', history, { 'no-writes' })
register('read', read, { 'no-writes' })
`;
