#!lua flags=allow-oom
-- What the reader has shown so far. ARGV: clock, id, note
local job = fetch(ARGV[2])
if job then update(job, 'note', ARGV[3]) end
