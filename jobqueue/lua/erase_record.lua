#!lua flags=allow-oom
-- Erase the record of a job that has ended and is delivered; returns 1 if it was erased.
-- ARGV: clock, id
local job = fetch(ARGV[2])
if not job or job.state == 'queued' or job.state == 'running' then return 0 end
if redis.call('ZSCORE', key('undelivered', job.reader), job.id) then return 0 end
redis.call('DEL', key('job', job.id), key('events', job.id))
return 1
