#!lua flags=allow-oom
-- A reader's jobs that are not delivered, oldest first. ARGV: clock, reader
local index = key('undelivered', ARGV[2])
local jobs = {}
for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local record = redis.call('HMGET', key('job', id), 'body', 'note')
  if record[1] then
    jobs[#jobs + 1] = {record[1], record[2] or ''}
  else
    redis.call('ZREM', index, id) -- its record has expired
  end
end
return jobs
