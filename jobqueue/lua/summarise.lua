#!lua
-- Keep a summary of a turn and of everything before it; 0 when something of that was forgotten
-- meanwhile. ARGV: clock, channel, turn, summary, the turn whose summary is in it or empty, the
-- other turns in it...
local channel, turn, summary, base = unpack(ARGV, 2, 5)
local summaries = key('summaries', channel)
if base ~= '' and redis.call('HEXISTS', summaries, base) == 0 then return 0 end
for i = 6, #ARGV do
  if redis.call('HEXISTS', key('turns', channel), ARGV[i]) == 0 then return 0 end
end
redis.call('HSET', summaries, turn, summary)
redis.call('PEXPIRE', summaries, policy.history_ttl_ms)
return 1
