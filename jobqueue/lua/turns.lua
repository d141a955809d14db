#!lua flags=no-writes
-- Return a branch: its last turn's id, the turns from there (newest first), their number, the
-- newest summary of some of them or '', and the number of turns after that summary.
-- This is a script since Redis 7.0 refuses even reads in a transaction while memory is full.
-- ARGV: clock, channel, the last turn (see turn_or_head), how many to return (0: all)
local channel, count = ARGV[2], tonumber(ARGV[4])
local begin = turn_or_head(channel, ARGV[3])
local turns, parents = key('turns', channel), key('parents', channel)
local summaries = key('summaries', channel)
local found, total, id, summary, after = {}, 0, begin, false, 0
while id and id ~= '' do
  if not summary then
    summary, after = redis.call('HGET', summaries, id), total
  end
  if redis.call('HEXISTS', turns, id) == 1 then -- an erased turn is skipped
    total = total + 1
    if count == 0 or total <= count then found[#found + 1] = redis.call('HGET', turns, id) end
  end
  id = redis.call('HGET', parents, id)
end
return {begin, found, total, summary or '', after}
