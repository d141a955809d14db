#!lua flags=allow-oom
-- The attempt's last event, the channel's history turn and the channel's next job, in one step.
-- ARGV: clock, id, fence, seq, state, event, turn or empty, tokens
local id, fence, seq, state, event, turn = unpack(ARGV, 2, 7)
local tokens = tonumber(ARGV[8])
local job = fetch(id)
if job and job.settled == fence then return 'continue' end -- this very call, repeated
if not held_by(job, fence) then return 'lost' end

if state == 'done' then
  local pace = pace_of(job.capability)
  local function blend(known, sample)
    return string.format('%.3f', (known or sample) * (1 - policy.learning_rate)
      + sample * policy.learning_rate)
  end
  redis.call('HSET', key('pace', job.capability), 'tokens', blend(pace.tokens, tokens),
    'service', blend(pace.service, now - job.claimed))
end
if turn ~= '' and not job.forget then
  local history = key('history', job.channel)
  redis.call('RPUSH', history, string.sub(turn, 1, -2) .. ',"at_ms":' .. now .. '}')
  redis.call('LTRIM', history, -policy.history_turns, -1)
  redis.call('PEXPIRE', history, policy.history_ttl_ms)
  redis.call('SADD', key('channels', job.user), job.channel)
end
conclude(job, state, seq, event, fence, tokens)
return 'continue'
