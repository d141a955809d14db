#!lua
-- Keep bytes under their hash for a while, within the shard's quota.
-- ARGV: clock, sha256, bytes
local sha256, bytes = ARGV[2], ARGV[3]
local index, sizes = key('blobs'), key('blob_sizes')
for _, old in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now)) do
  redis.call('HINCRBY', sizes, 'total', 0 - redis.call('HGET', sizes, old))
  redis.call('HDEL', sizes, old)
  redis.call('ZREM', index, old)
  redis.call('DEL', key('blob', old))
end

local total = tonumber(redis.call('HGET', sizes, 'total') or 0)
if not redis.call('ZSCORE', index, sha256) then
  if total + #bytes > policy.blob_quota then return {total, policy.blob_quota} end
  redis.call('HSET', sizes, sha256, #bytes)
  redis.call('HINCRBY', sizes, 'total', #bytes)
end
redis.call('ZADD', index, now + policy.blob_ttl_ms, sha256)
redis.call('SET', key('blob', sha256), bytes, 'PX', policy.blob_ttl_ms)
return false
