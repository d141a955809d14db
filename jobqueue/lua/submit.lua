#!lua
-- Accept a job once. Without the flag allow-oom the server refuses this script when memory is full,
-- before it writes anything. Long questions are refused earlier, to leave memory for short ones.
-- ARGV: clock, id, body, channel, user, server, reader, capability, ttl, dead letter, hashes of its
-- files in one text
local id, body, channel, user, server, reader, capability = unpack(ARGV, 2, 8)
local ttl, letter, files = tonumber(ARGV[9]), ARGV[10], ARGV[11]

local revived = letter ~= '' and #redis.call('XRANGE', key('dead'), letter, letter) > 0
if not revived and redis.call('EXISTS', key('job', id)) == 1 then
  local known = fetch(id)
  return {'accepted', known.state, 1, unpack(estimate_start(known))}
end

local lane = key('lane', channel)
local held = redis.call('HMGET', key('held'), 'user:' .. user, 'server:' .. server)
for _, limit in ipairs({
  {'user', tonumber(held[1] or 0), policy.per_user},
  {'channel', redis.call('LLEN', lane), policy.per_channel},
  {'server', tonumber(held[2] or 0), policy.per_server},
  {'total', redis.call('ZCARD', key('deadlines')), policy.total},
}) do
  if limit[2] >= limit[3] then return {'full', unpack(limit)} end
end

if #body > policy.long_body then
  local used, limit = memory()
  if limit > 0 and used > limit * (1 - policy.memory_reserve / 2) then
    return {'full', 'memory', 0, 0}
  end
end

if revived then
  redis.call('XDEL', key('dead'), letter)
  redis.call('DEL', key('job', id), key('events', id))
end
local deadline = now + ttl
redis.call('HSET', key('job', id), 'state', 'queued', 'channel', channel, 'user', user,
  'server', server, 'reader', reader, 'capability', capability, 'body', body,
  'submitted', now, 'deadline', deadline, 'attempt', 0, 'fence', 0, 'seq', 0)
if files ~= '' then
  redis.call('HSET', key('job', id), 'files', files)
  need_files(files, 1)
end
redis.call('ZADD', key('deadlines'), deadline, id)
redis.call('ZADD', key('undelivered', reader), now, id)
local job = {
  id = id, state = 'queued', channel = channel, user = user, server = server, capability = capability,
}
if change_counts(1, counters_of(job))[1] == 1 then open_account(capability, server) end
if redis.call('RPUSH', lane, id) == 1 then offer(channel) end
return {'accepted', 'queued', 0, unpack(estimate_start(job))}
