#!lua flags=allow-oom
-- Take back the channel's last turn. A repeated nonce gets the same turn again.
-- ARGV: clock, channel, nonce
local channel, nonce = ARGV[2], ARGV[3]
local memory = key('undo', channel)
local remembered = redis.call('HMGET', memory, 'nonce', 'turn')
if remembered[1] == nonce then return remembered[2] end
local turn = redis.call('RPOP', key('history', channel))
if turn then
  redis.call('HSET', memory, 'nonce', nonce, 'turn', turn)
  redis.call('PEXPIRE', memory, policy.lease_ms)
end
return turn
