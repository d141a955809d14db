#!lua flags=allow-oom
-- Undo a clear: the turns since then follow the old head. Repeating changes nothing. Returns the
-- number of turns; -1 if the clear is no longer known, -2 if another person cleared.
-- ARGV: clock, channel, the clear's nonce, the person who must have cleared or empty
local channel, nonce, by = ARGV[2], ARGV[3], ARGV[4]
local memory = key('cleared', channel)
local known = redis.call('HMGET', memory, 'nonce', 'turns', 'by', 'restored')
if known[1] ~= nonce then return -1 end
if by ~= '' and known[3] ~= by then return -2 end
if known[4] then return tonumber(known[2]) end

local function pairs_of(hash)
  local flat, at = redis.call('HGETALL', hash), -1
  return function()
    at = at + 2
    return flat[at], flat[at + 1]
  end
end

local old = {}
for _, part in ipairs(TREE) do old[part] = key('cleared_' .. part, channel) end
local head = redis.call('HGET', old.parents, '') or ''
local turns = key('turns', channel)
for id, parent in pairs_of(key('parents', channel)) do
  if id ~= '' then
    local turn = redis.call('HGET', turns, id) -- false if it was erased
    if parent == '' then
      parent = head
      local text, at = string.match(turn or '', '^(.*),"parent":"","at_ms":(%d+)}$')
      if text then turn = text .. ',"parent":' .. cjson.encode(head) .. ',"at_ms":' .. at .. '}' end
    end
    redis.call('HSET', old.parents, id, parent)
    if turn then redis.call('HSET', old.turns, id, turn) end
  elseif parent ~= '' then
    redis.call('HSET', old.parents, '', parent)
  end
end
for _, id in ipairs(redis.call('LRANGE', key('order', channel), 0, -1)) do
  redis.call('RPUSH', old.order, id)
end
forget_channel(channel) -- summaries since the clear lack the turns before it
for _, part in ipairs(TREE) do
  if redis.call('EXISTS', old[part]) == 1 then
    redis.call('RENAME', old[part], key(part, channel))
    redis.call('PEXPIRE', key(part, channel), policy.history_ttl_ms)
  end
end
local id = redis.call('LINDEX', key('lane', channel), 0)
local job = id and fetch(id)
if job and job.forget == nonce then redis.call('HDEL', key('job', id), 'forget') end
redis.call('HSET', memory, 'restored', 1)
return tonumber(known[2])
