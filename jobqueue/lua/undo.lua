#!lua flags=allow-oom
-- Move the channel's head before its last turn and return it. A repeated nonce returns it again.
-- ARGV: clock, channel, nonce, the job that the last turn must have, or empty
local channel, nonce, expected = ARGV[2], ARGV[3], ARGV[4]
local memory, parents = key('undo', channel), key('parents', channel)
local remembered = redis.call('HMGET', memory, 'nonce', 'turn')
if remembered[1] == nonce then return remembered[2] end

local head, turn = redis.call('HGET', parents, '') or '', false
while head ~= '' and not turn do
  turn = redis.call('HGET', key('turns', channel), head)
  if turn and expected ~= '' and head ~= expected then return false end
  head = redis.call('HGET', parents, head) or ''
end
if not turn then return false end
redis.call('HSET', parents, '', head)
redis.call('HSET', memory, 'nonce', nonce, 'turn', turn)
redis.call('PEXPIRE', memory, policy.lease_ms)
return turn
