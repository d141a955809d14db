#!lua flags=allow-oom
-- The person has the answer. The record stays, so that the same id is still the same job.
-- ARGV: clock, id
local job = fetch(ARGV[2])
if not job then return end
redis.call('ZREM', key('undelivered', job.reader), job.id)
redis.call('HDEL', key('job', job.id), 'note', 'result')
