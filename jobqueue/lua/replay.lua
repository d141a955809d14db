#!lua flags=no-writes
-- Return a job's state, its last event's id, its result and the events after the last one seen.
-- ARGV: clock, id, last id seen
local job = fetch(ARGV[2])
local events = redis.call('XRANGE', key('events', ARGV[2]), '(' .. ARGV[3], '+')
if not job then return {false, false, false, events} end
return {job.state, job.tail, redis.call('HGET', key('job', job.id), 'result'), events}
