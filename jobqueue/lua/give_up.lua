#!lua flags=allow-oom
-- End the lease of an attempt that failed through no fault of its job. The next reap.lua counts the
-- attempt and offers the job again, or moves it to the dead letters.
-- ARGV: clock, id, fence
if held_by(fetch(ARGV[2]), ARGV[3]) then redis.call('ZADD', key('leases'), 'XX', now, ARGV[2]) end
