#!lua
-- Count a question and its files against its user's limits, unless one is used up. A repetition of
-- the question is not counted. finish.lua counts the tokens of answers.
-- ARGV: clock, server and user, question, limits (0: none) of questions a minute, questions a day,
-- tokens a day and bytes of files a day, bytes of this question's files
local who, question, bytes = ARGV[2], ARGV[3], tonumber(ARGV[8])
local asked = key('asked', who)
local minute, day = 60000, 86400000
redis.call('ZREMRANGEBYSCORE', asked, '-inf', now - day)
if redis.call('ZSCORE', asked, question) then return false end

for _, rate in ipairs({{minute, tonumber(ARGV[4])}, {day, tonumber(ARGV[5])}}) do
  local span, limit = rate[1], rate[2]
  local since = '(' .. (now - span)
  if limit > 0 and redis.call('ZCOUNT', asked, since, '+inf') >= limit then
    -- The limit-th newest question is the next to leave the window.
    local oldest = redis.call('ZRANGE', asked, 0 - limit, 0 - limit, 'WITHSCORES')
    return {span, limit, oldest[2] + span - now, 'questions'}
  end
end
for _, rate in ipairs({{'tokens', tonumber(ARGV[6]), 1}, {'megabytes', tonumber(ARGV[7]), bytes}}) do
  local what, limit, more = unpack(rate)
  local wait = limit > 0 and more > 0 and wait_for_usage(who, what, limit, more)
  if wait then return {day, limit, wait, what} end
end
redis.call('ZADD', asked, now, question)
redis.call('PEXPIRE', asked, day)
if bytes > 0 then count_usage(who, 'megabytes', bytes) end
return false
