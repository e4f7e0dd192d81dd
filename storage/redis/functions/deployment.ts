/**
 * What Redis does beside the logs, for new connections, names and moderators: a part of the library in `library.ts`,
 * where the keys are explained.
 */
export const DEPLOYMENT_FUNCTIONS = String.raw`
-- What is kept under a key. A store that was emptied has nothing there: the first process that asks decides.
local function keep(key, candidate) return redis.call('SET', key, candidate, 'NX', 'GET') or candidate end

-- The first call on each connection. A run of the server that may hold less than the one before gets another epoch.
writing('begin', function(keys, args)
  local prefix, run, candidate, may_hold_less, secret = keys[1], args[1], args[2], args[3], args[4]
  if may_hold_less == '1' and redis.call('GET', prefix .. ':run') ~= run then redis.call('DEL', prefix .. ':epoch') end
  redis.call('SET', prefix .. ':run', run)
  return { keep(prefix .. ':epoch', candidate), keep(prefix .. ':secret', secret) }
end)

-- Publishes something that the calling process hears too. Redis refuses it where nothing can be written.
writing('pulse', function(keys, args)
  local epoch = keep(keys[1] .. ':epoch', args[3])
  -- Tokens stay valid when the store was emptied.
  keep(keys[1] .. ':secret', args[4])
  publish(args[1], 'pulse', args[2], epoch)
  return epoch
end)

writing('renew', function(keys, args)
  redis.call('SET', keys[1] .. ':epoch', args[3])
  publish(args[1], 'pulse', args[2], args[3])
end)

-- Given names are remembered for a while after their time is over, chosen ones until somebody takes them.
local function remember(prefix, user, own, memory)
  for _, key in ipairs({ prefix .. ':user:' .. user, prefix .. ':name:' .. own.key }) do
    if own.chosen == '1' then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, digits(memory)) end
  end
end

local function own_name(prefix, user)
  local own = redis.call('HMGET', prefix .. ':user:' .. user, 'key', 'name', 'chosen', 'till')
  return own[1] and { key = own[1], name = own[2], chosen = own[3], till = tonumber(own[4]) }
end

local function hold_one(prefix, user, till, now, memory)
  local own = own_name(prefix, user)
  if not own then return nil end
  if till > own.till then
    redis.call('HSET', prefix .. ':user:' .. user, 'till', digits(till))
    remember(prefix, user, own, till - now + memory)
  end
  return own
end

writing('hold', function(keys, args)
  for at = 3, #args, 2 do
    hold_one(keys[1], args[at], tonumber(args[at + 1]), tonumber(args[1]), tonumber(args[2]))
  end
end)

-- Who holds a name, if that is somebody else and their time is not over. If it is over, they have no name any more.
local function held_by_other(prefix, user, key, now)
  local holder = redis.call('GET', prefix .. ':name:' .. key)
  if not holder or holder == user then return nil end
  local theirs = own_name(prefix, holder)
  if theirs and theirs.till > now then return { holder, digits(theirs.till) } end
  redis.call('DEL', prefix .. ':user:' .. holder)
end

local function take(prefix, user, wanted, till, now, memory)
  redis.call('SET', prefix .. ':name:' .. wanted.key, user)
  redis.call('HSET', prefix .. ':user:' .. user, 'key', wanted.key, 'name', wanted.name, 'chosen', wanted.chosen,
    'till', digits(till))
  remember(prefix, user, wanted, till - now + memory)
end

writing('claim', function(keys, args)
  local prefix, now, memory, till, user = keys[1], tonumber(args[1]), tonumber(args[2]), tonumber(args[3]), args[4]
  local wanted = { key = args[5], name = args[6], chosen = '1' }
  local taken = held_by_other(prefix, user, wanted.key, now)
  if taken then return taken end
  local own = own_name(prefix, user)
  if own and own.key ~= wanted.key then redis.call('DEL', prefix .. ':name:' .. own.key) end
  take(prefix, user, wanted, till, now, memory)
end)

-- Gives names to users who have none. Each of them stands before the names that they may get, each after its key.
writing('give', function(keys, args)
  local prefix, now, memory, till = keys[1], tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  local given = {}
  for at, offer in ipairs(cjson.decode(args[4])) do
    local user = offer[1]
    local own = hold_one(prefix, user, till, now, memory)
    for from = 2, own and 0 or #offer, 2 do
      if not held_by_other(prefix, user, offer[from], now) then
        own = { key = offer[from], name = offer[from + 1], chosen = '0' }
        take(prefix, user, own, till, now, memory)
        break
      end
    end
    given[at] = own and { own.name, own.chosen } or false
  end
  return given
end)

reading('listed', function(keys) return redis.call('SMEMBERS', keys[1] .. ':listed') end)

writing('list', function(keys, args)
  redis.call(args[2] == '1' and 'SADD' or 'SREM', keys[1] .. ':listed', args[1])
end)

writing('add_rooms', function(keys, args) redis.call('SADD', keys[1] .. ':rooms', unpack(args)) end)

-- The bans that are not over. Those that are over are removed.
writing('bans', function(keys, args)
  local found = redis.call('HGETALL', keys[1] .. ':bans')
  local held = {}
  for at = 1, #found, 2 do
    if tonumber(string.match(found[at + 1], '^%d+')) > tonumber(args[1]) then
      held[#held + 1] = string.match(found[at + 1], ' (.*)$')
    else
      redis.call('HDEL', keys[1] .. ':bans', found[at])
    end
  end
  return held
end)

writing('ban', function(keys, args) redis.call('HSET', keys[1] .. ':bans', args[1], args[2]) end)

writing('unban', function(keys, args) return redis.call('HDEL', keys[1] .. ':bans', args[1]) end)

-- All rooms, for the first process that asks within a while.
writing('rooms_to_sweep', function(keys, args)
  if not redis.call('SET', keys[1] .. ':swept', '1', 'NX', 'PX', args[1]) then return false end
  return redis.call('SMEMBERS', keys[1] .. ':rooms')
end)
`;
