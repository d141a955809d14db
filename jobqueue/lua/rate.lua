#!lua
-- Count a question against its asker's rates, unless one is used up. The same question counts
-- once, however often this is sent.
-- ARGV: clock, who, question, per minute or 0, per day or 0
local asked, question = key('asked', ARGV[2]), ARGV[3]
local minute, day = 60000, 86400000
redis.call('ZREMRANGEBYSCORE', asked, '-inf', now - day)
if redis.call('ZSCORE', asked, question) then return false end

for _, rate in ipairs({{minute, tonumber(ARGV[4])}, {day, tonumber(ARGV[5])}}) do
  local span, limit = rate[1], rate[2]
  local since = '(' .. (now - span)
  if limit > 0 and redis.call('ZCOUNT', asked, since, '+inf') >= limit then
    -- The place that falls free first is that of the limit-th newest question.
    local oldest = redis.call('ZRANGE', asked, 0 - limit, 0 - limit, 'WITHSCORES')
    return {span, limit, oldest[2] + span - now}
  end
end
redis.call('ZADD', asked, now, question)
redis.call('PEXPIRE', asked, day)
return false
