#!lua flags=allow-oom
-- Make another turn the channel's head if the head is still the given one; returns 1, else 0.
-- ARGV: clock, channel, head, turn
local parents, wanted = key('parents', ARGV[2]), ARGV[4]
local head = redis.call('HGET', parents, '')
if head == wanted then return 1 end
if head ~= ARGV[3] or redis.call('HEXISTS', key('turns', ARGV[2]), wanted) == 0 then return 0 end
redis.call('HSET', parents, '', wanted)
return 1
