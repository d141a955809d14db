#!lua
-- Count a question and its files against its asker's rates, unless one is used up. The same
-- question counts once, however often this is sent. What the answers took is booked by finish.lua.
-- ARGV: clock, server and user, question; then, 0 where there is no limit: questions a minute, a
-- day, tokens a day, bytes of files a day; bytes of this question's files
local who, question, bytes = ARGV[2], ARGV[3], tonumber(ARGV[8])
local asked = key('asked', who)
local minute, day = 60000, 86400000
redis.call('ZREMRANGEBYSCORE', asked, '-inf', now - day)
if redis.call('ZSCORE', asked, question) then return false end

for _, rate in ipairs({{minute, tonumber(ARGV[4])}, {day, tonumber(ARGV[5])}}) do
  local span, limit = rate[1], rate[2]
  local since = '(' .. (now - span)
  if limit > 0 and redis.call('ZCOUNT', asked, since, '+inf') >= limit then
    -- The place that falls free first is that of the limit-th newest question.
    local oldest = redis.call('ZRANGE', asked, 0 - limit, 0 - limit, 'WITHSCORES')
    return {span, limit, oldest[2] + span - now, 'questions'}
  end
end
for _, rate in ipairs({{'tokens', tonumber(ARGV[6]), 1}, {'megabytes', tonumber(ARGV[7]), bytes}}) do
  local what, limit, more = unpack(rate)
  local wait = limit > 0 and more > 0 and wait_to_spend(who, what, limit, more)
  if wait then return {day, limit, wait, what} end
end
redis.call('ZADD', asked, now, question)
redis.call('PEXPIRE', asked, day)
if bytes > 0 then spend(who, 'megabytes', bytes) end
return false
