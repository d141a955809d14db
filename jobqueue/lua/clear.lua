#!lua flags=allow-oom
-- Clear a channel, including the turn in progress. The turns are set aside for a while, so that
-- restore.lua can bring them back; but not if another person's cleared turns are set aside, since
-- that would end their undo. A repeated nonce clears once. Returns the number of turns.
-- ARGV: clock, channel, nonce, by whom
local channel, nonce, by = ARGV[2], ARGV[3], ARGV[4]
local memory = key('cleared', channel)
local known = redis.call('HMGET', memory, 'nonce', 'turns', 'by', 'restored')
if known[1] == nonce then return tonumber(known[2]) end
local others_undo = known[1] and known[3] ~= by and not known[4]

local id = redis.call('LINDEX', key('lane', channel), 0)
local job = id and fetch(id)
if job and job.state == 'running' then update(job, 'forget', nonce) end
local turns = redis.call('HLEN', key('turns', channel))
if turns > 0 and not others_undo then
  redis.call('DEL', memory)
  redis.call('HSET', memory, 'nonce', nonce, 'turns', turns, 'by', by)
  redis.call('PEXPIRE', memory, policy.cleared_ttl_ms)
  for _, part in ipairs(TREE) do
    redis.call('DEL', key('cleared_' .. part, channel))
    if redis.call('EXISTS', key(part, channel)) == 1 then
      redis.call('RENAME', key(part, channel), key('cleared_' .. part, channel))
      redis.call('PEXPIRE', key('cleared_' .. part, channel), policy.cleared_ttl_ms)
    end
  end
end
forget_channel(channel)
return turns
