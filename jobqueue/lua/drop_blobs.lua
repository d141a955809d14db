#!lua flags=allow-oom
-- Forget files before their time, but for those that a waiting or running job needs.
-- ARGV: clock, sha256...
for i = 2, #ARGV do
  if not is_needed(ARGV[i]) then drop_blob(ARGV[i]) end
end
