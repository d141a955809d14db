#!lua flags=no-writes
-- The turns a next one would follow: where they begin, the newest first, and how many there are.
-- They begin at a turn or the head (see turn_or_head).
-- A script, because Redis 7.0 refuses even reads in a transaction while memory is full.
-- ARGV: clock, channel, begin, how many to return (0: all)
local channel, count = ARGV[2], tonumber(ARGV[4])
local begin = turn_or_head(channel, ARGV[3])
local turns, parents = key('turns', channel), key('parents', channel)
local found, total, id = {}, 0, begin
while id and id ~= '' do
  if redis.call('HEXISTS', turns, id) == 1 then -- an erased one is only stepped over
    total = total + 1
    if count == 0 or total <= count then found[#found + 1] = redis.call('HGET', turns, id) end
  end
  id = redis.call('HGET', parents, id)
end
return {begin, found, total}
