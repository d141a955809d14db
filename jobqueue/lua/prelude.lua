-- What every transition shares; the loader puts it, and `policy`, in front of each script.
-- KEYS[1] is the shard's prefix: it routes the script to the shard's node, and every other key
-- is derived from it, under the same hash tag. ARGV[1] is empty in production, where only the
-- server's clock counts; tests inject theirs.

local function key(kind, name)
  if name then return KEYS[1] .. kind .. ':' .. name end
  return KEYS[1] .. kind
end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- --- jobs ------------------------------------------------------------------------------------

local FIELDS = {
  'state', 'channel', 'user', 'server', 'reader', 'capability', 'deadline', 'attempt', 'fence',
  'seq', 'tail', 'worker', 'claimed', 'charge', 'cancel', 'forget', 'settled',
}

local function fetch(id)
  local values = redis.call('HMGET', key('job', id), unpack(FIELDS))
  if not values[1] then return nil end
  local job = {id = id}
  for i, field in ipairs(FIELDS) do job[field] = values[i] end
  return job
end

local function update(job, ...) redis.call('HSET', key('job', job.id), ...) end

local function held_by(job, fence) return job and job.state == 'running' and job.fence == fence end

local function failed(code, detail)
  if not detail then return '{"type":"failed","code":"' .. code .. '"}' end
  return '{"type":"failed","code":"' .. code .. '","detail":' .. cjson.encode(detail) .. '}'
end

-- Append one event for replay and for the reader's live stream. `previous` lets the reader see
-- that its live stream skipped something, so that it replays. The caller stores job.tail.
local function say(job, seq, event)
  local previous = job.tail or '0-0'
  job.tail = redis.call('XADD', key('events', job.id), '*',
    'attempt', job.attempt, 'seq', seq, 'event', event)
  redis.call('XADD', key('live', job.reader), 'MAXLEN', '~', policy.live_length, '*',
    'job', job.id, 'id', job.tail, 'previous', previous,
    'attempt', job.attempt, 'seq', seq, 'event', event)
end

-- A count that leaves no field behind at zero.
local function tally(field, by)
  local count = redis.call('HINCRBY', key('held'), field, by)
  if count <= 0 then redis.call('HDEL', key('held'), field) end
  return count
end

-- --- fair share: a server's virtual time is the tokens it was charged --------------------------

local function pace(capability, field)
  return tonumber(redis.call('HGET', key('pace', capability), field))
end

local function count_pace(capability, field, by)
  redis.call('HINCRBY', key('pace', capability), field, by)
end

local function learn(capability, field, sample)
  local known = pace(capability, field)
  local value = known and known + (sample - known) * policy.learning_rate or sample
  redis.call('HSET', key('pace', capability), field, string.format('%.3f', value))
end

local function rotation(capability, server) return key('rotation', capability .. ':' .. server) end

-- A server that comes back starts at the current minimum: being away saves nothing up, and what
-- it was ahead by when it left (`ahead`) is not forgiven either.
local function open_account(capability, server)
  local ahead = tonumber(redis.call('ZSCORE', key('ahead', capability), server) or 0)
  redis.call('ZREM', key('ahead', capability), server)
  local virtual = math.max(ahead, pace(capability, 'virtual') or 0)
  redis.call('HSET', key('vtime', capability), server, virtual)
end

local function close_account(capability, server)
  local vtime = tonumber(redis.call('HGET', key('vtime', capability), server))
  redis.call('HDEL', key('vtime', capability), server)
  if vtime and vtime > (pace(capability, 'virtual') or 0) then
    redis.call('ZADD', key('ahead', capability), vtime, server)
  end
end

local function charge(capability, server, tokens)
  local vtime = redis.call('HINCRBY', key('vtime', capability), server, tokens)
  redis.call('ZADD', key('ready', capability), 'XX', vtime, server)
  return vtime
end

-- Offer the channel's head to workers: last in its server's rotation, or first again when it
-- only lost its worker.
local function offer(channel, first)
  local lane = key('lane', channel)
  local id = redis.call('LINDEX', lane, 0)
  if not id then return end
  local head = redis.call('HMGET', key('job', id), 'capability', 'server')
  local capability, server = head[1], head[2]
  local turn = first and 0 or redis.call('HINCRBY', key('held'), 'turn', 1)
  redis.call('ZADD', rotation(capability, server), turn, channel)
  redis.call('ZADD', key('ready', capability),
    redis.call('HGET', key('vtime', capability), server), server)
  redis.call('ZADD', key('mark', capability), 0, 'work')
end

local function withdraw(job)
  local channels = rotation(job.capability, job.server)
  redis.call('ZREM', channels, job.channel)
  if redis.call('EXISTS', channels) == 0 then
    redis.call('ZREM', key('ready', job.capability), job.server)
  end
end

-- --- the two ways out of running ---------------------------------------------------------------

-- Back to the head of its channel, which it never left.
local function requeue(job, attempt)
  update(job, 'state', 'queued', 'attempt', attempt, 'seq', 0)
  redis.call('ZREM', key('leases'), job.id)
  count_pace(job.capability, 'running', -1)
  count_pace(job.capability, 'waiting', 1)
  offer(job.channel, true)
end

-- The end, from any state: the last event is said, the result kept for a while, everything the
-- job held is given back, and the channel goes on.
local function conclude(job, state, seq, event)
  local record, lane = key('job', job.id), key('lane', job.channel)
  say(job, seq, event)
  update(job, 'state', state, 'tail', job.tail, 'result', event, 'ended', now)
  redis.call('PEXPIRE', record, policy.result_ttl_ms)
  redis.call('PEXPIRE', key('events', job.id), policy.events_ttl_ms)
  redis.call('PEXPIRE', key('live', job.reader), policy.events_ttl_ms)
  redis.call('ZREM', key('leases'), job.id)
  redis.call('ZREM', key('deadlines'), job.id)
  count_pace(job.capability, job.state == 'running' and 'running' or 'waiting', -1)

  local was_head = redis.call('LINDEX', lane, 0) == job.id
  redis.call('LREM', lane, 1, job.id)
  if was_head then
    if job.state == 'queued' then withdraw(job) end
    offer(job.channel)
  end

  tally('total', -1)
  tally('user:' .. job.user, -1)
  tally('server:' .. job.server, -1)
  if tally('work:' .. job.capability .. ':' .. job.server, -1) <= 0 then
    close_account(job.capability, job.server)
  end
end

-- --- where a job stands ------------------------------------------------------------------------

-- Jobs likely to be taken before this one, from the servers' order and the rotation of this
-- server's channels, never more than really wait.
local function position(job)
  local capability = job.capability
  local channels = rotation(capability, job.server)
  local servers = math.max(redis.call('ZCARD', key('ready', capability)), 1)
  local before = redis.call('LPOS', key('lane', job.channel), job.id) or 0
  local turn = redis.call('ZRANK', channels, job.channel)
  local rank = redis.call('ZRANK', key('ready', capability), job.server) or 0
  if not turn then
    before = math.max(before - 1, 0) -- the head runs
    turn = redis.call('ZCARD', channels)
  end
  local round = math.max(redis.call('ZCARD', channels), 1)
  local ahead = (turn + before * round) * servers + rank
  local waiting = (pace(capability, 'waiting') or 1) - 1
  return math.max(before, math.min(ahead, waiting))
end

-- {position, milliseconds until it starts by the measured pace; -1 while nothing was measured}
local function standing(job)
  if job.state ~= 'queued' then return {0, 0} end
  local ahead = position(job)
  if ahead < (pace(job.capability, 'spare') or 0) then return {ahead, 0} end
  local service, running = pace(job.capability, 'service'), pace(job.capability, 'running')
  if not service then return {ahead, -1} end
  return {ahead, math.floor((ahead + 1) * service / math.max(running or 0, 1))}
end
