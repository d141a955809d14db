#!lua flags=allow-oom
-- Cancel a job: at once if it waits, at its worker's next emit if it runs. Returns its state.
-- ARGV: clock, id
local job = fetch(ARGV[2])
if not job then return false end
if job.state == 'running' then
  update(job, 'cancel', 1)
elseif job.state == 'queued' then
  conclude(job, 'failed', 0, failed('cancelled'))
  return 'failed'
end
return job.state
