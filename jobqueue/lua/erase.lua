#!lua flags=allow-oom
-- Erase a user's turns in one channel, including the one in progress. Their places in the tree stay,
-- so that later turns keep their parents. Returns the number of turns.
-- ARGV: clock, channel, user
local channel, user = ARGV[2], ARGV[3]
local id = redis.call('LINDEX', key('lane', channel), 0)
local job = id and fetch(id)
if job and job.state == 'running' and job.user == user then update(job, 'forget', 1) end
local erased = 0
for _, turns in ipairs({key('turns', channel), key('cleared_turns', channel)}) do
  for _, turn in ipairs(redis.call('HVALS', turns)) do
    turn = cjson.decode(turn)
    if turn.user == user then erased = erased + redis.call('HDEL', turns, turn.job) end
  end
end
-- These may contain text of this user.
redis.call('DEL', key('undo', channel), key('summaries', channel), key('cleared_summaries', channel))
if redis.call('EXISTS', key('turns', channel)) == 0 then forget_channel(channel) end
redis.call('SREM', key('channels', user), channel)
return erased
