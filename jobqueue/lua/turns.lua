#!lua flags=no-writes
-- The newest turns of a channel and how many there are. A script, for a full server takes no
-- MULTI. ARGV: clock, channel, how many (0: all)
local history = key('history', ARGV[2])
return {redis.call('LRANGE', history, 0 - tonumber(ARGV[3]), -1), redis.call('LLEN', history)}
