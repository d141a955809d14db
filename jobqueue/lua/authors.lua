#!lua flags=no-writes
-- Return the users who have turns, or waiting or running questions, in a channel. A turn's JSON
-- begins with its job and its user. ARGV: clock, channel
local found, users = {}, {}
local function add(user)
  if user and not found[user] then
    found[user] = true
    users[#users + 1] = user
  end
end
for _, turn in ipairs(redis.call('HVALS', key('turns', ARGV[2]))) do
  add(string.match(turn, '^{"job":"[^"]*","user":"([^"]*)"'))
end
for _, id in ipairs(redis.call('LRANGE', key('lane', ARGV[2]), 0, -1)) do
  add(redis.call('HGET', key('job', id), 'user') or nil)
end
return users
