#!lua flags=allow-oom
-- Return the status of every worker that has not expired. ARGV: clock
local gone = redis.call('ZRANGEBYSCORE', key('workers_until'), '-inf', now)
for _, worker in ipairs(gone) do
  redis.call('HDEL', key('workers'), worker)
  redis.call('ZREM', key('workers_until'), worker)
end
return redis.call('HVALS', key('workers'))
