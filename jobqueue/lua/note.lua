#!lua flags=allow-oom
-- Store the reader's note on what it has shown so far. ARGV: clock, id, note
local job = fetch(ARGV[2])
if job then update(job, 'note', ARGV[3]) end
