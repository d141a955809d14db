#!lua
-- Store a summary of a turn and of everything before it; returns 0 if any of that was erased
-- meanwhile. ARGV: clock, channel, turn, summary, the turn of the summary it contains or empty, the
-- other turns that it covers...
local channel, turn, summary, base = unpack(ARGV, 2, 5)
local summaries = key('summaries', channel)
if base ~= '' and redis.call('HEXISTS', summaries, base) == 0 then return 0 end
for i = 6, #ARGV do
  if redis.call('HEXISTS', key('turns', channel), ARGV[i]) == 0 then return 0 end
end
redis.call('HSET', summaries, turn, summary)
redis.call('PEXPIRE', summaries, policy.history_ttl_ms)
return 1
