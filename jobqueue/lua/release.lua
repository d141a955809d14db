#!lua flags=allow-oom
-- A draining worker returns a job to the front of its channel; the attempt is neither counted nor
-- charged.
-- ARGV: clock, id, fence
local job = fetch(ARGV[2])
if not held_by(job, ARGV[3]) then return end
if job.cancel then
  conclude(job, 'failed', job.seq, failed('cancelled'), nil, 0)
else
  requeue(job, job.attempt - 1, 0)
end
