#!lua flags=allow-oom
-- Requeue the jobs of dead workers, and end jobs past their deadline.
-- ARGV: clock
local requeued, dead, expired = 0, 0, 0

local function due(index, before)
  return redis.call('ZRANGEBYSCORE', key(index), '-inf', before, 'LIMIT', 0, policy.batch)
end

local function move_to_dead_letters(job, reason)
  redis.call('XADD', key('dead'), 'MAXLEN', '~', policy.dead_length, '*',
    'job', job.id, 'reason', reason, 'attempts', job.attempt, 'worker', job.worker or '',
    'at', now, 'body', redis.call('HGET', key('job', job.id), 'body'))
  conclude(job, 'failed', job.seq, failed('dead', reason))
end

for _, id in ipairs(due('leases', now)) do
  local job = fetch(id)
  if job.cancel then
    conclude(job, 'failed', job.seq, failed('cancelled'))
  elseif tonumber(job.attempt) >= policy.max_attempts then
    move_to_dead_letters(job, 'lease expired in attempt ' .. job.attempt .. ' on ' .. job.worker)
    dead = dead + 1
  else
    requeue(job, job.attempt, job.charge)
    requeued = requeued + 1
  end
end

for _, id in ipairs(due('deadlines', now)) do
  local job = fetch(id)
  -- A running attempt learns of its deadline at its next emit and may finish with its text so far.
  if job.state == 'queued' or now >= job.deadline + policy.lease_ms then
    conclude(job, 'failed', job.seq, failed('deadline'))
    expired = expired + 1
  end
end
return {requeued, dead, expired}
