#!lua flags=allow-oom
-- The person has the answer. The record stays, so that the same id is still the same job; of a
-- question that is done the short form is enough, and its replay is wanted for a while by an
-- operator at most.
-- ARGV: clock, id, short form of the body or empty
local job = fetch(ARGV[2])
if not job then return end
redis.call('ZREM', key('undelivered', job.reader), job.id)
redis.call('HDEL', key('job', job.id), 'note', 'result')
-- Of the live stream nothing is wanted from before the oldest question that is still shown.
local oldest = redis.call('ZRANGE', key('undelivered', job.reader), 0, 0, 'WITHSCORES')[2]
redis.call('XTRIM', key('live', job.reader), 'MINID', '~', string.format('%.0f', oldest or now))
-- The newest of them, for an operator who asks where the time of each question went.
local delivered = key('delivered', job.reader)
redis.call('ZADD', delivered, 'NX', now, job.id)
redis.call('ZREMRANGEBYRANK', delivered, 0, -1 - policy.delivered_jobs)
redis.call('PEXPIRE', delivered, policy.delivered_ttl_ms)
if job.state == 'done' then
  if ARGV[3] ~= '' then update(job, 'body', ARGV[3]) end
  if redis.call('PTTL', key('events', job.id)) > policy.delivered_ttl_ms then
    redis.call('PEXPIRE', key('events', job.id), policy.delivered_ttl_ms)
  end
end
