#!lua flags=no-writes
-- Return a job's state, position, estimate, attempt, body and result; false if it is unknown.
-- ARGV: clock, id
local job = fetch(ARGV[2])
if not job then return false end
local record = redis.call('HMGET', key('job', job.id), 'body', 'result')
local place = estimate_start(job)
return {job.state, place[1], place[2], tonumber(job.attempt), record[1], record[2]}
