#!lua flags=allow-oom
-- Forget a channel, the turn that is being answered included. ARGV: clock, channel
local channel = ARGV[2]
local id = redis.call('LINDEX', key('lane', channel), 0)
local job = id and fetch(id)
if job and job.state == 'running' then update(job, 'forget', 1) end
local turns = redis.call('HLEN', key('turns', channel))
forget_channel(channel)
return turns
