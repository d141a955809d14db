#!lua flags=allow-oom
-- Forget a user's turns in one channel, the one being answered included.
-- ARGV: clock, channel, user
local channel, user = ARGV[2], ARGV[3]
local id = redis.call('LINDEX', key('lane', channel), 0)
local job = id and fetch(id)
if job and job.state == 'running' and job.user == user then update(job, 'forget', 1) end
local erased = 0
for _, turn in ipairs(redis.call('LRANGE', key('history', channel), 0, -1)) do
  if cjson.decode(turn).user == user then
    erased = erased + redis.call('LREM', key('history', channel), 0, turn)
  end
end
redis.call('DEL', key('undo', channel))
redis.call('SREM', key('channels', user), channel)
return erased
