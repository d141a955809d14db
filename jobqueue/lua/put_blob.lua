#!lua flags=allow-oom
-- Store bytes under their hash for a while, within the shares of a user, of a server and of all
-- files. Old files make room: within a user's share the user's own, else those of the user with most
-- bytes; never one that a waiting or running job needs. A part of the memory stays free for
-- questions. Returns false, or the share that is used up, its bytes and its limit.
-- ARGV: clock, sha256, bytes, user or empty, server or empty
local sha256, bytes = ARGV[2], ARGV[3]
local user, server = ARGV[4] ~= '' and ARGV[4] or '-', ARGV[5] ~= '' and ARGV[5] or '-'
local index, expiry = key('blobs'), now + policy.blob_ttl_ms

for _, old in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 10 * policy.batch)) do
  drop_blob(old)
end

local function keep()
  redis.call('ZADD', index, expiry, sha256)
  local owner = owner_of(sha256)
  if owner then
    redis.call('ZADD', key('blobs_of', owner), expiry, sha256)
    redis.call('PEXPIRE', key('blobs_of', owner), policy.blob_ttl_ms)
  end
end

if redis.call('PEXPIRE', key('blob', sha256), policy.blob_ttl_ms) == 1 then
  keep()
  return false
end
drop_blob(sha256) -- its counts, if its bytes have expired

local function stored_size()
  local size = redis.pcall('MEMORY', 'USAGE', key('blob', sha256))
  return type(size) == 'number' and size or #bytes + 128
end

redis.call('SET', key('blob', sha256), bytes, 'PX', policy.blob_ttl_ms)
local size = stored_size()
local used, limit = memory()
used = used - #bytes -- this call's own argument
local quota = policy.blob_quota
if limit > 0 then quota = math.min(quota, math.floor(limit * policy.blob_share)) end
local of_server = math.floor(quota * policy.blob_server_share)
local of_user = user == '-' and of_server or math.floor(quota * policy.blob_user_share)
local free = math.floor(limit * (1 - policy.memory_reserve))
local budget = policy.batch -- files that this call may drop

local function held(by, holder) return tonumber(redis.call('ZSCORE', key(by), holder) or 0) end
local function total() return tonumber(redis.call('HGET', key('blob_sizes'), 'total') or 0) end

-- Drop the oldest unneeded file of a holder; return whether there was one. The user's own newest
-- files stay, since they may belong to the same question.
local function make_room(holder, of_server_only)
  local before = holder == user and expiry - policy.blob_fresh_ms or '+inf'
  local names = redis.call('ZRANGEBYSCORE', key('blobs_of', holder), '-inf', before, 'LIMIT', 0, 200)
  for _, name in ipairs(names) do
    local _, place = owner_of(name)
    if name ~= sha256 and not is_needed(name) and (not of_server_only or place == server) then
      used = used - drop_blob(name)
      budget = budget - 1
      return true
    end
  end
  return false
end

-- Drop a file of the user with most bytes, of all users or in this server.
local function make_room_of_largest(of_server_only)
  for _, holder in ipairs(redis.call('ZREVRANGE', key('blob_users'), 0, policy.batch - 1)) do
    if make_room(holder, of_server_only) then return true end
  end
  return false
end

local function refuse(share, holds, most)
  redis.call('DEL', key('blob', sha256))
  return {share, holds, most}
end

if size > of_user then return refuse('files-user', held('blob_users', user), of_user) end
if size > of_server then return refuse('files-server', held('blob_servers', server), of_server) end
if limit > 0 and used - total() > free then return refuse('memory', 0, 0) end

while held('blob_users', user) + size > of_user do
  if budget == 0 or not make_room(user) then
    return refuse('files-user', held('blob_users', user), of_user)
  end
end
while held('blob_servers', server) + size > of_server do
  if budget == 0 or not make_room_of_largest(true) then
    return refuse('files-server', held('blob_servers', server), of_server)
  end
end
while total() + size > quota do
  if budget == 0 or not make_room_of_largest() then return refuse('blobs', total(), quota) end
end
while limit > 0 and used > free do
  if budget == 0 or not make_room_of_largest() then return refuse('memory', 0, 0) end
end

redis.call('HSET', key('blob_sizes'), sha256, size)
redis.call('HSET', key('blob_owners'), sha256, user .. ' ' .. server)
count_blob(sha256, size, user, server)
keep()
return false
