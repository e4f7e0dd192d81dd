/** What Redis does with the rooms' logs: a part of the library in `functions.ts`, where the keys are explained. */
export const ROOM_FUNCTIONS = String.raw`
local function open_room(base, epoch)
  local head = redis.call('HMGET', base .. ':head', 'seq', 'date', 'messages', 'epoch', 'of')
  -- An epoch of its own ends with the one of all rooms under which it began.
  local own = head[4] and head[5] == epoch and head[4]
  return {
    base = base, seq = tonumber(head[1] or 0), date = tonumber(head[2] or 0), messages = tonumber(head[3] or 0),
    epoch = own or epoch, is_new = not head[1] and not own, filled = {},
  }
end

local function record(room)
  return { digits(room.seq), digits(room.date), digits(room.messages), room.epoch, room.is_new and 1 or 0 }
end

local function find(room, seq)
  if not string.match(seq, '^%d+$') or #seq > 16 then return nil end
  return redis.call('XRANGE', room.base .. ':log', seq .. '-0', seq .. '-0')[1]
end

local function field(raw, name)
  for at = 1, #raw[2], 2 do
    if raw[2][at] == name then return raw[2][at + 1] end
  end
end

-- Where a document stands: the entry that changed it last, and the one that shows it last.
local function version_of(room, seq)
  local version = redis.call('HGET', room.base .. ':versions', seq)
  local changed, shown = string.match(version or '', '^(%d+):(%d+)$')
  return changed or '0', shown or seq
end

local function keys_of(room, seq) return room.base .. ':keys:' .. seq end
local function erasable_of(room, seq) return room.base .. ':erasable:' .. seq end

-- An entry with the document that it shows and what is erasable of it.
local function stored(room, raw)
  local seq, target = string.match(raw[1], '^%d+'), field(raw, 'target')
  local document = redis.call('HGET', room.base .. ':documents', target == '' and seq or target)
  local erasable = target ~= '' and redis.call('HGET', erasable_of(room, target), seq)
  return { seq, field(raw, 'date'), field(raw, 'ordinal'), field(raw, 'entry'), document, erasable }
end

-- What a command depends on, for whoever did not know it or knew what is no more.
local function facts(room, command)
  if not command.target then return false end
  local raw = find(room, command.target)
  if not raw then return { false } end
  local keys = {}
  for at, name in ipairs(command.reads) do
    keys[at] = redis.call('HGET', keys_of(room, command.target), name)
  end
  local changed = version_of(room, command.target)
  return { stored(room, raw), changed, keys }
end

local function write(room, command, number, now)
  local seq, date = room.seq + 1, math.max(room.date, now)
  local at, target, base = digits(seq), command.target, room.base
  -- What a document may hold of this call, by what stands for it there: see toTemplate in codec.ts.
  room.filled['0'], room.filled[tostring(number)] = digits(date), at
  local shown = command.document
  if command.begins then
    room.messages = room.messages + 1
    shown = command.begins
    redis.call('HSET', base .. ':documents', at, shown)
    redis.call('ZADD', base .. ':messages', at, at)
  elseif target then
    local _, shows = version_of(room, target)
    if shown then
      shown = string.gsub(shown, '\1(%d+)', room.filled)
      redis.call('HSET', base .. ':documents', target, shown)
    else
      shown = redis.call('HGET', base .. ':documents', target)
    end
    redis.call('HSET', base .. ':versions', target, at .. ':' .. (command.shows and at or shows))
    if command.erases then redis.call('DEL', keys_of(room, target), erasable_of(room, target)) end
    for _, pair in ipairs(command.writes) do
      local name, value = unpack(pair)
      if value == '' then redis.call('HDEL', keys_of(room, target), name)
      else redis.call('HSET', keys_of(room, target), name, value) end
    end
  end
  if command.erasable then redis.call('HSET', erasable_of(room, target), at, command.erasable) end
  local ordinal = digits(room.messages)
  redis.call('XADD', base .. ':log', at .. '-0', 'date', digits(date), 'ordinal', ordinal, 'target', target or '',
    'key', command.key or '', 'entry', command.entry)
  if command.key then
    redis.call('SET', base .. ':id:' .. command.key, at .. ' ' .. digits(date) .. ' ' .. ordinal)
  end
  room.seq, room.date, room.changed = seq, date, true
  local function or_null(json) return (json and json ~= '') and json or 'null' end
  local news = '[' .. at .. ',' .. digits(date) .. ',' .. ordinal .. ',' .. command.entry .. ',' .. or_null(shown)
    .. ',' .. or_null(command.erasable) .. ']'
  return { 'kept', at, digits(date), ordinal }, news
end

-- Does a command as it was decided, if all is still as it was then; nil if it is not.
local function do_one(room, command, outcomes, now)
  if command.key then
    local first = redis.call('GET', room.base .. ':id:' .. command.key)
    if first and first ~= command.forgotten then
      local raw = find(room, string.match(first, '^%d+'))
      return { 'repeated', first, raw and stored(room, raw) }
    end
  end
  if command.isUndecided then return nil end
  if command.target then
    -- As an earlier one of these commands has left it, or as it was known.
    local earlier = string.match(command.expected, '^@(%d+)$')
    if earlier then
      if outcomes[tonumber(earlier)][1] ~= 'kept' then return nil end
    elseif (find(room, command.target) and version_of(room, command.target) or 'none') ~= command.expected then
      return nil
    end
  end
  if not command.entry then return { 'checked' } end
  return write(room, command, #outcomes + 1, now)
end

-- Keeps commands of any number of rooms, each room in order until one was decided upon what is no more. Tells everyone.
local function append(keys, args)
  local origin, channel, epoch, now, window = args[1], args[2], args[3], tonumber(args[4]), tonumber(args[5])
  local answers, news = {}, {}
  for at, base in ipairs(keys) do
    local room, asked = open_room(base, epoch), cjson.decode(args[5 + at])
    local locked = redis.call('HGET', base .. ':settings', 'locked') or '0'
    local outcomes, told, open = {}, {}, {}
    if locked == asked.locked then
      for each, command in ipairs(asked.commands) do
        local outcome, json = do_one(room, command, outcomes, now)
        if not outcome then break end
        outcomes[each] = outcome
        if json then told[#told + 1] = json end
        -- Its key may be free again: what follows waits until that is decided, so that the order stays.
        if outcome[1] == 'repeated' and tonumber(string.match(outcome[2], '^%d+ (%d+)')) <= now - window then break end
      end
    end
    for each = #outcomes + 1, #asked.commands do open[#open + 1] = facts(room, asked.commands[each]) end
    if room.changed then
      redis.call('HSET', base .. ':head', 'seq', digits(room.seq), 'date', digits(room.date), 'messages',
        digits(room.messages))
      news[#news + 1] = '[' .. asked.room .. ',"' .. room.epoch .. '",[' .. table.concat(told, ',') .. ']]'
    end
    answers[at] = { outcomes, record(room), locked, open }
  end
  if #news > 0 then publish(channel, 'log', origin, '[' .. table.concat(news, ',') .. ']') end
  return answers
end

-- Messages from a place on, up or down, and whether it ended for their number or their bytes, enough for one page.
local function history(keys, args)
  local room, way, low, high = open_room(keys[1], args[1]), args[2], args[3], args[4]
  local limit, bytes = tonumber(args[5]), tonumber(args[6])
  local places = way == 'down'
    and redis.call('ZRANGE', room.base .. ':messages', high, low, 'BYSCORE', 'REV', 'LIMIT', '0', limit)
    or redis.call('ZRANGE', room.base .. ':messages', low, high, 'BYSCORE', 'LIMIT', '0', limit)
  local rows = {}
  for at, seq in ipairs(places) do
    rows[at] = stored(room, find(room, seq))
    bytes = bytes - #(rows[at][5] or '') - #rows[at][4]
    if bytes < 0 then break end
  end
  return { record(room), rows, (#rows == limit or bytes < 0) and 1 or 0 }
end

-- Entries from a place on, with the documents that they show.
local function read(keys, args)
  local room, low, limit, bytes = open_room(keys[1], args[1]), args[2], tonumber(args[3]), tonumber(args[4])
  local rows = {}
  while #rows < limit and bytes >= 0 do
    local chunk = redis.call('XRANGE', room.base .. ':log', low, '+', 'COUNT', math.min(64, limit - #rows))
    for _, raw in ipairs(chunk) do
      local row = stored(room, raw)
      rows[#rows + 1] = row
      bytes = bytes - #(row[5] or '') - #row[4]
      low = '(' .. raw[1]
      if bytes < 0 then break end
    end
    if #chunk < 64 then break end
  end
  return { record(room), rows }
end

local function positions(keys, args)
  local found = {}
  for at, base in ipairs(keys) do
    local room = open_room(base, args[1])
    found[at] = { digits(room.seq), room.epoch, digits(room.date) }
  end
  return found
end

-- The oldest entries, for whoever knows what has expired.
local function oldest(keys, args)
  local room = open_room(keys[1], args[1])
  local found = {}
  for at, raw in ipairs(redis.call('XRANGE', room.base .. ':log', '-', '+', 'COUNT', args[2])) do
    found[at] = { string.match(raw[1], '^%d+'), field(raw, 'date'), field(raw, 'ordinal') }
  end
  return { record(room), found }
end

-- Removes an entry. A document goes with the last entry that shows it, which may be one that is about it.
local function remove_entry(room, raw, now, window)
  local seq, target, key = string.match(raw[1], '^%d+'), field(raw, 'target'), field(raw, 'key')
  local message = target == '' and seq or target
  local _, shown = version_of(room, message)
  if tonumber(shown) <= tonumber(seq) then
    redis.call('HDEL', room.base .. ':documents', message)
    redis.call('HDEL', room.base .. ':versions', message)
    redis.call('DEL', keys_of(room, message))
  end
  if target ~= '' then redis.call('HDEL', erasable_of(room, target), seq) end
  if key == '' then return end
  local id = room.base .. ':id:' .. key
  local first = redis.call('GET', id)
  if not first or string.match(first, '^%d+') ~= seq then return end
  local left = tonumber(field(raw, 'date')) + window - now
  if left > 0 then redis.call('SET', id, first .. ' ' .. field(raw, 'entry'), 'PX', digits(left))
  else redis.call('DEL', id) end
end

local function drop(keys, args)
  local room = { base = keys[1] }
  local last, now, window = args[1], tonumber(args[2]), tonumber(args[3])
  for _, raw in ipairs(redis.call('XRANGE', room.base .. ':log', '-', last)) do remove_entry(room, raw, now, window) end
  redis.call('XTRIM', room.base .. ':log', 'MINID', '=', digits(tonumber(last) + 1) .. '-0')
  redis.call('ZREMRANGEBYSCORE', room.base .. ':messages', '-inf', last)
end

local function renew_room(keys, args)
  redis.call('HSET', keys[1] .. ':head', 'epoch', args[1], 'of', args[2])
  publish(args[3], 'log', args[4], '[[' .. args[5] .. ',"' .. args[1] .. '",[]]]')
end

local function settings(keys)
  local values = redis.call('HMGET', keys[1] .. ':settings', 'locked', 'listed', 'slow_seconds')
  return { values[1] or '0', values[2] or '0', values[3] or '0' }
end

local function change(keys, args)
  redis.call('HSET', keys[1] .. ':settings', unpack(args))
  return settings(keys)
end

register('append', append)
register('drop', drop)
register('renew_room', renew_room)
register('change', change)
register('history', history, { 'no-writes' })
register('read', read, { 'no-writes' })
register('positions', positions, { 'no-writes' })
register('oldest', oldest, { 'no-writes' })
register('settings', settings, { 'no-writes' })
`;
