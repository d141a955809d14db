-- Functions that all scripts share. The loader puts the table `policy` and this file in front of
-- each script. KEYS[1] is the shard's prefix: it routes the script to the shard's node, and every
-- other key is derived from it, under the same hash tag. ARGV[1] is empty in production, where only
-- the server's clock counts; tests pass their own time.

local function key(kind, name)
  if name then return KEYS[1] .. kind .. ':' .. name end
  return KEYS[1] .. kind
end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- --- a person's usage of the last 24 hours, by hours ---------------------------------------------

local HOUR = 3600000

local function count_usage(who, what, amount)
  local spent, hour = key('spent', who), math.floor(now / HOUR)
  for _, field in ipairs(redis.call('HKEYS', spent)) do
    if tonumber(string.match(field, '^%d+')) <= hour - 24 then redis.call('HDEL', spent, field) end
  end
  redis.call('HINCRBY', spent, hour .. ':' .. what, amount)
  redis.call('PEXPIRE', spent, 25 * HOUR)
end

-- Milliseconds until `more` is within the limit; nil if it is now. An amount above the limit itself
-- is within it when nothing else is counted.
local function wait_for_usage(who, what, limit, more)
  local hour, spent, total = math.floor(now / HOUR), {}, 0
  for age = 23, 0, -1 do
    local used = redis.call('HGET', key('spent', who), (hour - age) .. ':' .. what) or 0
    spent[#spent + 1] = {hour - age + 24, tonumber(used)}
    total = total + used
  end
  if total + more <= limit then return nil end
  for _, each in ipairs(spent) do
    total = total - each[2]
    if total + more <= limit or total <= 0 then return each[1] * HOUR - now end
  end
end

-- --- jobs ------------------------------------------------------------------------------------

local FIELDS = {
  'state', 'channel', 'user', 'server', 'reader', 'capability', 'deadline', 'attempt', 'fence',
  'seq', 'tail', 'worker', 'claimed', 'charge', 'cancel', 'forget', 'settled',
  'files',
}

-- Load a job's record, with further fields `...`; nil if there is none.
local function fetch(id, ...)
  local fields = {...}
  for _, field in ipairs(FIELDS) do fields[#fields + 1] = field end
  local values = redis.call('HMGET', key('job', id), unpack(fields))
  local job = {id = id}
  for i, field in ipairs(fields) do job[field] = values[i] end
  return job.state and job or nil
end

local function update(job, ...) redis.call('HSET', key('job', job.id), ...) end

local function held_by(job, fence) return job and job.state == 'running' and job.fence == fence end

local function failed(code, detail)
  if not detail then return '{"type":"failed","code":"' .. code .. '"}' end
  return '{"type":"failed","code":"' .. code .. '","detail":' .. cjson.encode(detail) .. '}'
end

-- Let a stream expire `life` ms after its last use, or a little earlier: writing it costs time.
local function expire_later(stream, life)
  if redis.call('PTTL', stream) < life / 2 then redis.call('PEXPIRE', stream, life) end
end

-- Append one event to the job's stream, for replays, and to the reader's live stream. By `previous`
-- the reader notices a gap in the live stream, and replays. The caller stores job.tail.
local function append_event(job, seq, event)
  local previous = job.tail or '0-0'
  job.tail = redis.call('XADD', key('events', job.id), '*',
    'attempt', job.attempt, 'seq', seq, 'event', event)
  redis.call('XADD', key('live', job.reader), 'MAXLEN', '~', policy.live_length, '*',
    'job', job.id, 'id', job.tail, 'previous', previous,
    'attempt', job.attempt, 'seq', seq, 'event', event)
end

-- Change several counters in one write; delete those that reach zero. Returns the new counts.
local function change_counts(by, ...)
  local counts, kept, gone = redis.call('HMGET', key('held'), ...), {}, {}
  for i, field in ipairs({...}) do
    counts[i] = tonumber(counts[i] or 0) + by
    if counts[i] > 0 then
      kept[#kept + 1], kept[#kept + 2] = field, counts[i]
    else
      gone[#gone + 1] = field
    end
  end
  if #kept > 0 then redis.call('HSET', key('held'), unpack(kept)) end
  if #gone > 0 then redis.call('HDEL', key('held'), unpack(gone)) end
  return counts
end

-- The counters of a job. (`deadlines` also contains every waiting or running job.)
local function counters_of(job)
  return 'work:' .. job.capability .. ':' .. job.server, 'user:' .. job.user,
    'server:' .. job.server, job.state .. ':' .. job.capability
end

-- --- files: bytes under their hash, their owners, and the jobs that need them --------------------

-- The memory in use and its limit: the server's maxmemory, else the policy's, else three quarters
-- of the machine's. Buffers that do not count for maxmemory do not count here: that of the
-- append-only file grows with every write while a slow disk is behind. Zeros if INFO is refused.
local function memory()
  local info = redis.pcall('INFO', 'memory')
  if type(info) ~= 'string' then return 0, 0 end
  local function number(name) return tonumber(string.match(info, '\n' .. name .. ':(%d+)') or 0) end
  local limit = number('maxmemory')
  if limit == 0 then limit = policy.memory end
  if limit == 0 then limit = math.floor(number('total_system_memory') * 0.75) end
  return number('used_memory') - number('mem_not_counted_for_evict'), limit
end

-- Change by `by` how many waiting or running jobs need each of these files (hashes in one text).
local function need_files(names, by)
  for name in string.gmatch(names or '', '%x+') do
    if redis.call('HINCRBY', key('blob_needs'), name, by) <= 0 then
      redis.call('HDEL', key('blob_needs'), name)
    end
  end
end

local function is_needed(name) return redis.call('HEXISTS', key('blob_needs'), name) == 1 end

local function count_blob(name, size, user, server)
  redis.call('HINCRBY', key('blob_sizes'), 'total', size)
  for index, holder in pairs({blob_users = user, blob_servers = server}) do
    if holder and tonumber(redis.call('ZINCRBY', key(index), size, holder)) <= 0 then
      redis.call('ZREM', key(index), holder)
    end
  end
end

local function owner_of(name)
  return string.match(redis.call('HGET', key('blob_owners'), name) or '', '^(%S+) (%S+)$')
end

-- Delete a file; returns its size in bytes.
local function drop_blob(name)
  local size = tonumber(redis.call('HGET', key('blob_sizes'), name) or 0)
  local user, server = owner_of(name)
  if redis.call('HDEL', key('blob_sizes'), name) == 1 then count_blob(name, -size, user, server) end
  redis.call('HDEL', key('blob_owners'), name)
  if user then redis.call('ZREM', key('blobs_of', user), name) end
  redis.call('ZREM', key('blobs'), name)
  redis.call('DEL', key('blob', name))
  return size
end

-- --- fair share: a server's virtual time is its used plus its estimated tokens -------------------

local PACE = {'spare', 'tokens', 'service'}

-- Measured averages of one capability's jobs; nil until something is measured.
local function pace_of(capability)
  local values = redis.call('HMGET', key('pace', capability), unpack(PACE))
  local pace = {}
  for i, field in ipairs(PACE) do pace[field] = tonumber(values[i]) end
  return pace
end

local function rotation(capability, server) return key('rotation', capability .. ':' .. server) end

-- The least usage of a server with jobs; without any, the usage of the last server that had some.
local function least_used(capability)
  local least = redis.call('ZRANGE', key('account', capability), 0, 0, 'WITHSCORES')
  return tonumber(least[2] or redis.call('HGET', key('pace', capability), 'left_with') or 0)
end

-- A server that returns starts at the current minimum, so that an absence earns no credit. If it
-- was ahead of the others when it left (`ahead`), it starts there.
local function open_account(capability, server)
  local ahead, least = key('ahead', capability), least_used(capability)
  redis.call('ZREMRANGEBYSCORE', ahead, '-inf', least)
  local used = redis.call('ZSCORE', ahead, server) or least
  redis.call('ZREM', ahead, server)
  redis.call('ZADD', key('account', capability), used, server)
end

local function close_account(capability, server)
  local account = key('account', capability)
  local used = redis.call('ZSCORE', account, server)
  redis.call('ZREM', account, server)
  if redis.call('EXISTS', account) == 0 then
    redis.call('HSET', key('pace', capability), 'left_with', used)
  elseif tonumber(used) > least_used(capability) then
    redis.call('ZADD', key('ahead', capability), used, server)
  end
end

local spent = {} -- by account: the virtual times that this script changed

-- Charge a server with `used` tokens and with `estimated` ones of running jobs. They are stored
-- apart, so that a server that joins is compared with real usage.
local function charge(job, used, estimated)
  local account, estimates = key('account', job.capability), key('estimated', job.capability)
  local total = redis.call('ZINCRBY', account, used, job.server)
  local open = redis.call('HINCRBY', estimates, job.server, estimated)
  if open <= 0 then redis.call('HDEL', estimates, job.server) end
  spent[rotation(job.capability, job.server)] = total + open
  redis.call('ZADD', key('ready', job.capability), 'XX', total + open, job.server)
end

local function virtual_time(capability, server)
  return spent[rotation(capability, server)]
    or redis.call('ZSCORE', key('account', capability), server)
      + (redis.call('HGET', key('estimated', capability), server) or 0)
end

-- Offer the channel's first job to workers: last in its server's rotation, or `first` if it lost
-- its worker.
local function offer(channel, first)
  local lane = key('lane', channel)
  local id = redis.call('LINDEX', lane, 0)
  if not id then return end
  local head = redis.call('HMGET', key('job', id), 'capability', 'server')
  local capability, server = head[1], head[2]
  local turn = first and 0 or redis.call('HINCRBY', key('held'), 'turn', 1)
  redis.call('ZADD', rotation(capability, server), turn, channel)
  redis.call('ZADD', key('ready', capability), virtual_time(capability, server), server)
  redis.call('ZADD', key('mark', capability), 0, 'work')
end

local function withdraw(job)
  local channels = rotation(job.capability, job.server)
  redis.call('ZREM', channels, job.channel)
  if redis.call('EXISTS', channels) == 0 then
    redis.call('ZREM', key('ready', job.capability), job.server)
  end
end

-- --- the two transitions from running -----------------------------------------------------------

local function stop_running(job, tokens)
  redis.call('ZREM', key('leases'), job.id)
  charge(job, tokens, 0 - job.charge)
end

-- Back to queued. The job is still the first of its channel.
local function requeue(job, attempt, tokens)
  update(job, 'state', 'queued', 'attempt', attempt, 'seq', 0)
  stop_running(job, tokens)
  change_counts(-1, 'running:' .. job.capability)
  change_counts(1, 'queued:' .. job.capability)
  offer(job.channel, true)
end

local function leave_lane(job)
  local lane = key('lane', job.channel)
  if job.state == 'running' then -- so it is the first
    redis.call('LPOP', lane)
  else
    local was_head = redis.call('LINDEX', lane, 0) == job.id
    redis.call('LREM', lane, 1, job.id)
    if not was_head then return end
    withdraw(job)
  end
  offer(job.channel)
end

-- End a job from any state: append the last event, keep the result for a while, free all that the
-- job held, and offer the channel's next job. A worker that finishes passes its fence and its
-- tokens; without them a running job is charged its estimate.
local function conclude(job, state, seq, event, fence, tokens)
  append_event(job, seq, event)
  update(job, 'state', state, 'tail', job.tail, 'result', event, 'settled', fence or '')
  redis.call('PEXPIRE', key('job', job.id), policy.result_ttl_ms)
  expire_later(key('events', job.id), policy.events_ttl_ms)
  expire_later(key('live', job.reader), policy.events_ttl_ms)
  local written = string.match(job.tail, '^%d+') -- by the server's clock, also in tests
  redis.call('XTRIM', key('live', job.reader), 'MINID', '~', written - policy.live_ms)
  redis.call('ZREM', key('deadlines'), job.id)
  need_files(job.files, -1)
  if job.state == 'running' then stop_running(job, tokens or job.charge) end
  leave_lane(job)
  if change_counts(-1, counters_of(job))[1] <= 0 then close_account(job.capability, job.server) end
end

-- --- a channel's turns: a tree; people see the branch that ends at the head ----------------------

-- `turns` has the turns, `parents` the turn before each. The head is the parent of the next turn,
-- which has no id yet: ''. `order` has the turns by age.
local TREE = {'turns', 'parents', 'order', 'summaries'}

local function forget_channel(channel)
  redis.call('DEL', key('turns', channel), key('parents', channel), key('order', channel),
    key('undo', channel), key('summaries', channel))
end

-- Return `id` if it is '' (before all turns) or a turn of the channel, else the channel's head.
local function turn_or_head(channel, id)
  local parents = key('parents', channel)
  if id == '' or redis.call('HEXISTS', parents, id) == 1 then return id end
  return redis.call('HGET', parents, '') or ''
end

-- Store the job's turn as the head. A turn never changes its parent, so the tree has no circles.
local function store_turn(job, turn, follows)
  local turns, parents = key('turns', job.channel), key('parents', job.channel)
  local order, summaries = key('order', job.channel), key('summaries', job.channel)
  local length = 0
  local parent, known, head = unpack(redis.call('HMGET', parents, job.id, follows, ''))
  if not parent then
    parent = (follows == '' or known) and follows or head or ''
    length = redis.call('RPUSH', order, job.id)
  end
  redis.call('HSET', turns, job.id, string.sub(turn, 1, -2)
    .. ',"parent":' .. cjson.encode(parent) .. ',"at_ms":' .. now .. '}')
  redis.call('HSET', parents, job.id, parent, '', job.id)
  local function forget_oldest()
    local oldest = redis.call('LPOP', order)
    for _, each in ipairs({turns, parents, summaries}) do redis.call('HDEL', each, oldest) end
  end
  for _ = policy.history_turns + 1, length do forget_oldest() end
  if #turn > policy.history_bytes / policy.history_turns then -- shorter ones cannot exceed the limit
    local bytes = 0
    for _, id in ipairs(redis.call('LRANGE', order, 0, -1)) do
      bytes = bytes + redis.call('HSTRLEN', turns, id)
    end
    while bytes > policy.history_bytes and redis.call('LLEN', order) > 1 do
      bytes = bytes - redis.call('HSTRLEN', turns, redis.call('LINDEX', order, 0))
      forget_oldest()
    end
  end
  if redis.call('PTTL', order) < policy.history_ttl_ms / 2 then
    for _, each in ipairs({turns, parents, order, summaries}) do
      redis.call('PEXPIRE', each, policy.history_ttl_ms)
    end
  end
  redis.call('SADD', key('channels', job.user), job.channel)
end

-- --- a job's position ----------------------------------------------------------------------------

-- The number of jobs that will probably be claimed before this one, by the order of the servers
-- and the rotation of this server's channels; at most the number that waits.
local function position(job)
  local servers, channels = key('ready', job.capability), rotation(job.capability, job.server)
  local round = redis.call('ZCARD', channels)
  local before = redis.call('LPOS', key('lane', job.channel), job.id) or 0
  local turn = redis.call('ZRANK', channels, job.channel)
  if not turn then -- the channel's head runs
    before = math.max(before - 1, 0)
    turn = round
  end
  local rounds = turn + before * math.max(round, 1)
  local ahead = rounds * math.max(redis.call('ZCARD', servers), 1)
    + (redis.call('ZRANK', servers, job.server) or 0)
  local waiting = tonumber(redis.call('HGET', key('held'), 'queued:' .. job.capability))
  return math.max(before, math.min(ahead, waiting - 1))
end

-- Return {position, estimated milliseconds until it starts; -1 while nothing is measured}.
local function estimate_start(job)
  if job.state ~= 'queued' then return {0, 0} end
  local pace = pace_of(job.capability)
  local ahead = position(job)
  if ahead < (pace.spare or 0) then return {ahead, 0} end
  if not pace.service then return {ahead, -1} end
  local running = tonumber(redis.call('HGET', key('held'), 'running:' .. job.capability) or 1)
  return {ahead, math.floor((ahead + 1) * pace.service / running)}
end
