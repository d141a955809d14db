#!lua flags=allow-oom
-- Write an attempt's events once, renew its lease, and return its status.
-- ARGV: clock, id, fence, seq of the first event, event...
local id, fence, seq = ARGV[2], ARGV[3], tonumber(ARGV[4])
local job = fetch(id)
if not held_by(job, fence) then return 'lost' end
local expected = tonumber(job.seq)
if seq > expected then return 'lost' end -- a failover lost events in between: the job is tried again

local last = seq + #ARGV - 4
if last > expected then
  for next = expected, last - 1 do append_event(job, next, ARGV[5 + next - seq]) end
  update(job, 'seq', last, 'tail', job.tail)
  if expected == 0 then
    redis.call('PEXPIRE', key('events', id), math.max(job.deadline - now, 0) + policy.events_ttl_ms)
  end
end
redis.call('ZADD', key('leases'), 'XX', now + policy.lease_ms, id)
if job.cancel then return 'cancel' end
if now >= tonumber(job.deadline) then return 'deadline' end
return 'continue'
