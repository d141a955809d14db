#!lua flags=allow-oom
-- Claim jobs for a worker's free slots, by fair share. A repeated nonce gets the same leases again.
-- ARGV: clock, worker, nonce, slots, capability...
local worker, nonce, slots = ARGV[2], ARGV[3], tonumber(ARGV[4])
local receipt = key('claim', worker)
local leases = {}

local function add_lease(job)
  local waited = now - tonumber(job.submitted)
  leases[#leases + 1] = {tonumber(job.attempt), tonumber(job.fence), job.body, waited}
end

local remembered = redis.call('HMGET', receipt, 'nonce', 'leases')
if remembered[1] == nonce then
  for id, fence in string.gmatch(remembered[2], '(%S+) (%S+)') do
    local job = fetch(id, 'submitted', 'body')
    if held_by(job, fence) then add_lease(job) end
  end
  return leases
end

local function lease(job, tokens)
  job.attempt, job.fence = job.attempt + 1, job.fence + 1
  update(job, 'state', 'running', 'attempt', job.attempt, 'fence', job.fence, 'seq', 0,
    'worker', worker, 'claimed', now, 'charge', tokens)
  redis.call('ZADD', key('leases'), now + policy.lease_ms, job.id)
  charge(job, 0, tokens)
  add_lease(job)
end

local capabilities = {}
for i = 5, #ARGV do
  local pace = pace_of(ARGV[i])
  capabilities[#capabilities + 1] = {
    name = ARGV[i], leased = 0, exhausted = false,
    charge = math.floor(pace.tokens or policy.charge_tokens),
  }
end

-- Take the next channel of the server with the least virtual time; return its first job.
local function next_job(capability)
  local servers = key('ready', capability.name)
  local server = redis.call('ZRANGE', servers, 0, 0)[1]
  if not server then return nil end
  local channels = rotation(capability.name, server)
  local channel = redis.call('ZPOPMIN', channels)[1]
  if redis.call('EXISTS', channels) == 0 then redis.call('ZREM', servers, server) end
  return fetch(redis.call('LINDEX', key('lane', channel), 0), 'submitted', 'body')
end

-- Take one job of each capability in turn, and begin with another one each time: none starves.
local given = {}
local turn = redis.call('HINCRBY', key('held'), 'claims', 1)
local exhausted, expired = 0, 0
while #given < slots and exhausted < #capabilities and expired < policy.batch do
  local capability = capabilities[turn % #capabilities + 1]
  local job = not capability.exhausted and next_job(capability)
  turn = turn + 1
  if job and now >= tonumber(job.deadline) then
    conclude(job, 'failed', 0, failed('deadline'))
    expired = expired + 1
  elseif job then
    lease(job, capability.charge)
    given[#given + 1] = job.id .. ' ' .. job.fence
    capability.leased = capability.leased + 1
  elseif not capability.exhausted then
    capability.exhausted = true
    exhausted = exhausted + 1
  end
end

for _, capability in ipairs(capabilities) do
  if capability.leased > 0 then
    change_counts(-capability.leased, 'queued:' .. capability.name)
    change_counts(capability.leased, 'running:' .. capability.name)
  end
  redis.call('HSET', key('pace', capability.name), 'spare', slots - #given)
  if redis.call('EXISTS', key('ready', capability.name)) == 1 then
    redis.call('ZADD', key('mark', capability.name), 0, 'work') -- wake the next worker
  end
end
if #given > 0 then
  redis.call('HSET', receipt, 'nonce', nonce, 'leases', table.concat(given, ' '))
  redis.call('PEXPIRE', receipt, policy.lease_ms)
end
return leases
