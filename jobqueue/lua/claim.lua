#!lua flags=allow-oom
-- Hand free slots to the servers whose turn it is. A repeated nonce gets the same leases again.
-- ARGV: clock, worker, nonce, slots, capability...
local worker, nonce, slots = ARGV[2], ARGV[3], tonumber(ARGV[4])
local receipt = key('claim', worker)
local leases = {}

local function hand_out(job)
  local body = redis.call('HGET', key('job', job.id), 'body')
  leases[#leases + 1] = {tonumber(job.attempt), tonumber(job.fence), body}
end

local remembered = redis.call('HMGET', receipt, 'nonce', 'leases')
if remembered[1] == nonce then
  for id, fence in string.gmatch(remembered[2], '(%S+) (%S+)') do
    local job = fetch(id)
    if held_by(job, fence) then hand_out(job) end
  end
  return leases
end

local function lease(job)
  job.attempt, job.fence = job.attempt + 1, job.fence + 1
  local tokens = math.floor(pace(job.capability, 'tokens') or policy.charge_tokens)
  update(job, 'state', 'running', 'attempt', job.attempt, 'fence', job.fence, 'seq', 0,
    'worker', worker, 'claimed', now, 'charge', tokens)
  redis.call('ZADD', key('leases'), now + policy.lease_ms, job.id)
  count_pace(job.capability, 'waiting', -1)
  count_pace(job.capability, 'running', 1)
  charge(job.capability, job.server, tokens)
  hand_out(job)
  return job.id .. ' ' .. job.fence
end

-- The next channel of the server with the least virtual time, its head withdrawn from the offer.
local function next_job(capability)
  local servers = key('ready', capability)
  local least = redis.call('ZRANGE', servers, 0, 0, 'WITHSCORES')
  if not least[1] then return nil end
  local server, vtime = least[1], tonumber(least[2])
  if vtime > (pace(capability, 'virtual') or 0) then
    redis.call('HSET', key('pace', capability), 'virtual', least[2])
    redis.call('ZREMRANGEBYSCORE', key('ahead', capability), '-inf', vtime)
  end
  local channels = rotation(capability, server)
  local channel = redis.call('ZPOPMIN', channels)[1]
  if redis.call('EXISTS', channels) == 0 then redis.call('ZREM', servers, server) end
  return fetch(redis.call('LINDEX', key('lane', channel), 0))
end

-- One from each capability in turn, beginning at another one each time, so that none starves.
local capabilities = {unpack(ARGV, 5)}
local given = {}
local turn = redis.call('HINCRBY', key('held'), 'claims', 1)
local dry = 0
local expired = 0
while #given < slots and dry < #capabilities and expired < policy.batch do
  local job = next_job(capabilities[turn % #capabilities + 1])
  turn = turn + 1
  if not job then
    dry = dry + 1
  elseif now >= tonumber(job.deadline) then
    dry, expired = 0, expired + 1
    conclude(job, 'failed', 0, failed('deadline'))
  else
    dry = 0
    given[#given + 1] = lease(job)
  end
end

for _, capability in ipairs(capabilities) do
  redis.call('HSET', key('pace', capability), 'spare', slots - #given)
  if redis.call('EXISTS', key('ready', capability)) == 1 then
    redis.call('ZADD', key('mark', capability), 0, 'work') -- wake the next worker
  end
end
if #given > 0 then
  redis.call('HSET', receipt, 'nonce', nonce, 'leases', table.concat(given, ' '))
  redis.call('PEXPIRE', receipt, policy.lease_ms)
end
return leases
