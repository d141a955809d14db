#!lua flags=allow-oom
-- The attempt failed through no fault of its job. Its lease ends now, so that the next reaping
-- counts the attempt and offers the job again, or buries it.
-- ARGV: clock, id, fence
if held_by(fetch(ARGV[2]), ARGV[3]) then redis.call('ZADD', key('leases'), 'XX', now, ARGV[2]) end
