#!lua flags=allow-oom
-- Store a worker's status until it expires. ARGV: clock, worker, status
redis.call('HSET', key('workers'), ARGV[2], ARGV[3])
redis.call('ZADD', key('workers_until'), now + policy.worker_ttl_ms, ARGV[2])
