/** What Redis does with the rooms' logs: a part of the library in `library.ts`, where the keys are explained. */
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
  return { room.seq, room.date, room.messages, room.epoch, room.is_new and 1 or 0 }
end

-- Entries of the log, whose fields stand in the order in which they are written below.
local function range(room, from, to, count)
  local entries = redis.call('XRANGE', room.base .. ':log', from, to, 'COUNT', count)
  for at, raw in ipairs(entries) do
    local seq, fields = string.match(raw[1], '^%d+'), raw[2]
    entries[at] = {
      seq = seq, date = fields[2], ordinal = fields[4], target = fields[6], key = fields[8], entry = fields[10],
    }
  end
  return entries
end

local function find(room, seq)
  if not string.match(seq, '^%d+$') or #seq > 16 then return nil end
  return range(room, seq .. '-0', seq .. '-0', 1)[1]
end

-- Where a document stands: the entry that changed it last, and the one that shows it last.
local function version_of(room, seq)
  local version = redis.call('HGET', room.base .. ':versions', seq)
  local changed, shown = string.match(version or '', '^(%d+):(%d+)$')
  return changed or '0', shown or seq
end

local function keys_of(room, seq) return room.base .. ':keys:' .. seq end
local function erasable_of(room, seq) return room.base .. ':erasable:' .. seq end
local function answers_of(room, seq) return room.base .. ':answers:' .. seq end

-- Keys of a message that begin so, in order of their bytes: each is its name, a zero byte, and its value as JSON.
local function listed(room, seq, prefix, from, ...)
  return redis.call('ZRANGEBYLEX', keys_of(room, seq), '[' .. from, '(' .. prefix .. '\255', ...)
end

-- The key of this name, as it stands there, and its value.
local function key_of(room, seq, name)
  for _, member in ipairs(listed(room, seq, name .. '\0', name .. '\0')) do
    local value = string.sub(member, #name + 2)
    if not string.find(value, '%z') then return member, value end
  end
end

-- An entry with the document that it shows and what is erasable of it, each as JSON.
local function stored(room, entry)
  local target = entry.target ~= '' and entry.target
  local document = redis.call('HGET', room.base .. ':documents', target or entry.seq)
  local erasable = target and redis.call('HGET', erasable_of(room, target), entry.seq)
  return { entry.seq, entry.date, entry.ordinal, entry.entry, document, erasable }
end

-- What is left of the first entry that had an idempotency key.
local function remembered(room, first)
  local seq, date, ordinal, fixed = string.match(first, '^(%d+) (%d+) (%d+) ?(.*)$')
  local entry = find(room, seq)
  if entry then return stored(room, entry) end
  return fixed ~= '' and { seq, date, ordinal, fixed }
end

-- What a command depends on, where that was not known or has changed. What earlier commands were told is left out.
local function facts(room, command, told)
  local about = command.about
  if not about then return false end
  local entry = find(room, about)
  if not entry then return { false } end
  local row, values, lists = not told[about] and stored(room, entry), {}, {}
  for at, name in ipairs(command.reads) do values[at] = select(2, key_of(room, about, name)) or false end
  for at, prefix in ipairs(command.lists) do
    local list = about .. ' ' .. prefix
    lists[at], told[list] = told[list] and {} or listed(room, about, prefix, prefix), true
  end
  told[about] = true
  return { row, (version_of(room, about)), values, lists }
end

local function write(room, command, number, now)
  local base, target, shown = room.base, command.target, command.begins
  room.seq, room.date, room.changed = room.seq + 1, math.max(room.date, now), true
  local seq, date = digits(room.seq), digits(room.date)
  -- What documents of this call may hold, by what stands for it there: see toTemplate in codec.ts.
  room.filled['0'], room.filled[tostring(number)] = date, seq
  if shown then
    room.messages = room.messages + 1
    redis.call('HSET', base .. ':documents', seq, shown)
    redis.call('ZADD', base .. ':messages', seq, seq)
    if command.answers then redis.call('ZADD', answers_of(room, command.answers), seq, seq) end
  elseif target then
    if command.document then
      shown = string.gsub(command.document, '\1(%d+)', room.filled)
      redis.call('HSET', base .. ':documents', target, shown)
    else
      shown = redis.call('HGET', base .. ':documents', target)
    end
    local _, shows = version_of(room, target)
    redis.call('HSET', base .. ':versions', target, seq .. ':' .. (command.shows and seq or shows))
    if command.erases then redis.call('UNLINK', keys_of(room, target), erasable_of(room, target)) end
    if command.answered then redis.call('ZREM', answers_of(room, command.answered), target) end
    for _, pair in ipairs(command.writes) do
      local name, value = unpack(pair)
      local known = key_of(room, target, name)
      if known then redis.call('ZREM', keys_of(room, target), known) end
      if value ~= '' then redis.call('ZADD', keys_of(room, target), '0', name .. '\0' .. value) end
    end
  end
  if command.erasable then redis.call('HSET', erasable_of(room, target), seq, command.erasable) end
  local ordinal = digits(room.messages)
  redis.call('XADD', base .. ':log', seq .. '-0', 'date', date, 'ordinal', ordinal, 'target', target or '',
    'key', command.key or '', 'entry', command.entry)
  if command.key then redis.call('SET', base .. ':id:' .. command.key, seq .. ' ' .. date .. ' ' .. ordinal) end
  local row = { seq, date, ordinal, command.entry, shown or 'null', command.erasable or 'null' }
  return { 'kept', room.seq, room.date }, '[' .. table.concat(row, ',') .. ']'
end

-- Does a command as it was decided. Its outcome is nil if what it depends on has changed since.
local function do_one(room, command, outcomes, now)
  if command.key then
    local first = redis.call('GET', room.base .. ':id:' .. command.key)
    if first and first ~= command.forgotten then return { 'repeated', first, remembered(room, first) } end
  end
  if command.isUndecided then return nil end
  if command.about then
    -- As an earlier one of these commands has left it, or as it was known.
    local earlier = string.match(command.expected, '^@(%d+)$')
    if earlier then
      if outcomes[tonumber(earlier)][1] ~= 'kept' then return nil end
    elseif (find(room, command.about) and version_of(room, command.about) or 'none') ~= command.expected then
      return nil
    end
  end
  if not command.entry then
    -- Where an earlier one of these commands was repeated, there are fewer messages, and its message may not have expired.
    if room.messages < command.messages then return nil end
    return { 'checked' }
  end
  return write(room, command, #outcomes + 1, now)
end

-- Keeps commands of any number of rooms, each room in order until what one depends on has changed. Tells each
-- room's subscribers.
writing('append', function(keys, args)
  local origin, epoch, now, window = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  local answers = {}
  for at, base in ipairs(keys) do
    local room, asked = open_room(base, epoch), cjson.decode(args[4 + at])
    local locked = redis.call('HGET', base .. ':settings', 'locked') or '0'
    local outcomes, rows, open, known = {}, {}, {}, {}
    if locked == asked.locked then
      for each, command in ipairs(asked.commands) do
        local outcome, row = do_one(room, command, outcomes, now)
        if not outcome then break end
        outcomes[each] = outcome
        if row then rows[#rows + 1] = row end
        -- Its key may be free again: what follows waits until that is decided, so that the order stays.
        if outcome[1] == 'repeated' and tonumber(string.match(outcome[2], '^%d+ (%d+)')) <= now - window then break end
      end
    end
    for each = #outcomes + 1, #asked.commands do open[#open + 1] = facts(room, asked.commands[each], known) end
    if room.changed then
      redis.call('HSET', base .. ':head', 'seq', digits(room.seq), 'date', digits(room.date), 'messages',
        digits(room.messages))
      local told = '[[' .. asked.room .. ',"' .. room.epoch .. '",[' .. table.concat(rows, ',') .. ']]]'
      publish_in_room(base, 'log', origin, told)
    end
    answers[at] = { outcomes, record(room), locked, open }
  end
  return answers
end)

-- Rows until there are enough for one page, and whether more may follow.
local function page(room, limit, bytes, next)
  local rows = {}
  while #rows < limit and bytes >= 0 do
    local row = next()
    if not row then return { record(room), rows, 0 } end
    rows[#rows + 1] = row
    bytes = bytes - #row[4] - #(row[5] or '')
  end
  return { record(room), rows, 1 }
end

-- A page of messages, or of those that answer one, in the order of their places or from the newest on. Each row has
-- also how many answers there are. The reply of those that answer one ends with that one, which may have expired.
reading('history', function(keys, args)
  local room, limit, bytes = open_room(keys[1], args[1]), tonumber(args[2]), tonumber(args[3])
  local look = args[4] == 'down' and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'
  local index = args[7] and answers_of(room, args[7]) or room.base .. ':messages'
  local places, at = redis.call(look, index, args[5], args[6], 'LIMIT', '0', args[2]), 0
  local reply = page(room, limit, bytes, function()
    at = at + 1
    local entry = places[at] and find(room, places[at])
    local row = entry and stored(room, entry)
    if row then row[7] = redis.call('ZCARD', answers_of(room, entry.seq)) end
    return row
  end)
  local answered = args[7] and find(room, args[7])
  reply[4] = answered and stored(room, answered)
  return reply
end)

-- A page of entries.
reading('read', function(keys, args)
  local room, limit, bytes = open_room(keys[1], args[1]), tonumber(args[2]), tonumber(args[3])
  local from, chunk, at = args[4] .. '-0', {}, 0
  return page(room, limit, bytes, function()
    at = at + 1
    if at > #chunk then chunk, at = range(room, from, '+', 64), 1 end
    from = chunk[at] and '(' .. chunk[at].seq .. '-0'
    return chunk[at] and stored(room, chunk[at])
  end)
end)

-- The values of keys, each given by its message and its name.
reading('keys', function(keys, args)
  local room, values = { base = keys[1] }, {}
  for at = 1, #args, 2 do values[#values + 1] = select(2, key_of(room, args[at], args[at + 1])) or false end
  return values
end)

reading('list_keys', function(keys, args)
  return listed({ base = keys[1] }, args[1], args[2], args[3], 'LIMIT', '0', args[4])
end)

reading('records', function(keys, args)
  local records = {}
  for at, base in ipairs(keys) do records[at] = record(open_room(base, args[1])) end
  return records
end)

-- Removes an entry. A document goes with the last entry that shows it, which may be one that is about it.
local function remove_entry(room, entry, now, window)
  local target = entry.target ~= '' and entry.target
  local message = target or entry.seq
  local _, shown = version_of(room, message)
  if tonumber(shown) <= tonumber(entry.seq) then
    redis.call('HDEL', room.base .. ':documents', message)
    redis.call('HDEL', room.base .. ':versions', message)
    redis.call('UNLINK', keys_of(room, message))
  end
  -- Its answers are held for longer. Nobody asks what answers a message that is gone.
  if target then redis.call('HDEL', erasable_of(room, target), entry.seq)
  else redis.call('UNLINK', answers_of(room, entry.seq)) end
  if entry.key == '' then return end
  local id = room.base .. ':id:' .. entry.key
  local first = redis.call('GET', id)
  if not first or string.match(first, '^%d+') ~= entry.seq then return end
  local left = tonumber(entry.date) + window - now
  if left > 0 then redis.call('SET', id, first .. ' ' .. entry.entry, 'PX', digits(left))
  else redis.call('DEL', id) end
end

-- Removes the oldest entries, at most so many, up to an ordinal or before a date. Their number is the reply.
writing('drop', function(keys, args)
  local room, limit, ordinal, date = { base = keys[1] }, args[1], tonumber(args[2]), tonumber(args[3])
  local dropped, last = 0, nil
  for _, entry in ipairs(range(room, '-', '+', limit)) do
    if tonumber(entry.ordinal) > ordinal and tonumber(entry.date) >= date then break end
    remove_entry(room, entry, tonumber(args[4]), tonumber(args[5]))
    dropped, last = dropped + 1, entry.seq
  end
  if last then
    redis.call('XTRIM', room.base .. ':log', 'MINID', '=', digits(tonumber(last) + 1) .. '-0')
    redis.call('ZREMRANGEBYSCORE', room.base .. ':messages', '-inf', last)
  end
  return dropped
end)

writing('renew_room', function(keys, args)
  redis.call('HSET', keys[1] .. ':head', 'epoch', args[2], 'of', args[3])
  publish_in_room(keys[1], 'log', args[1], '[[' .. args[4] .. ',"' .. args[2] .. '",[]]]')
end)

local function settings(keys)
  local values = redis.call('HMGET', keys[1] .. ':settings', 'locked', 'listed', 'slow_seconds')
  return { values[1] or '0', values[2] or '0', values[3] or '0' }
end

reading('settings', settings)

writing('change', function(keys, args)
  redis.call('HSET', keys[1] .. ':settings', unpack(args))
  return settings(keys)
end)
`;
