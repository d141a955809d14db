#!lua
-- Accept a job once. Without the allow-oom flag the server refuses before anything is written.
-- ARGV: clock, id, body, channel, user, server, reader, capability, ttl, dead letter
local id, body, channel, user, server, reader, capability = unpack(ARGV, 2, 8)
local ttl, letter = tonumber(ARGV[9]), ARGV[10]

local known = fetch(id)
local revived = letter ~= '' and #redis.call('XRANGE', key('dead'), letter, letter) > 0
if known and not revived then return {'accepted', known.state, 1, unpack(standing(known))} end

local function held(field) return tonumber(redis.call('HGET', key('held'), field) or 0) end
local lane = key('lane', channel)
for _, limit in ipairs({
  {'user', held('user:' .. user), policy.per_user},
  {'channel', redis.call('LLEN', lane), policy.per_channel},
  {'server', held('server:' .. server), policy.per_server},
  {'total', held('total'), policy.total},
}) do
  if limit[2] >= limit[3] then return {'full', unpack(limit)} end
end

if revived then
  redis.call('XDEL', key('dead'), letter)
  redis.call('DEL', key('job', id), key('events', id))
end
local deadline = now + ttl
redis.call('HSET', key('job', id), 'state', 'queued', 'channel', channel, 'user', user,
  'server', server, 'reader', reader, 'capability', capability, 'body', body,
  'submitted', now, 'deadline', deadline, 'attempt', 0, 'fence', 0, 'seq', 0)
redis.call('ZADD', key('deadlines'), deadline, id)
redis.call('ZADD', key('undelivered', reader), now, id)
tally('total', 1)
tally('user:' .. user, 1)
tally('server:' .. server, 1)
count_pace(capability, 'waiting', 1)
if tally('work:' .. capability .. ':' .. server, 1) == 1 then open_account(capability, server) end
if redis.call('RPUSH', lane, id) == 1 then offer(channel) end
return {'accepted', 'queued', 0, unpack(standing(fetch(id)))}
