#!lua flags=allow-oom
-- End an attempt: its last event, the channel's turn and the channel's next job, in one step.
-- ARGV: clock, id, fence, seq, state, event, turn or empty, the turn's parent, tokens
local id, fence, seq, state, event, turn, parent = unpack(ARGV, 2, 8)
local tokens = tonumber(ARGV[9])
local job = fetch(id)
if job and job.settled == fence then return 'continue' end -- a repetition of this call
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
if turn ~= '' and not job.forget then store_turn(job, turn, parent) end
count_usage(job.server .. ':' .. job.user, 'tokens', tokens)
conclude(job, state, seq, event, fence, tokens)
return 'continue'
