#!lua flags=allow-oom
-- Mark a job as delivered. The record stays, so that the same id is still the same job. An answered
-- question's record is shortened, and its events are kept a while for the operator.
-- ARGV: clock, id, short form of the body or empty
local job = fetch(ARGV[2])
if not job then return end
redis.call('ZREM', key('undelivered', job.reader), job.id)
redis.call('HDEL', key('job', job.id), 'note', 'result')
-- Nobody needs the live stream from before the oldest undelivered question.
local oldest = redis.call('ZRANGE', key('undelivered', job.reader), 0, 0, 'WITHSCORES')[2]
redis.call('XTRIM', key('live', job.reader), 'MINID', '~', string.format('%.0f', oldest or now))
-- The latest delivered jobs, for the operator's command `latest`.
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
