#!lua flags=allow-oom
-- Delete files before they expire, except those that a waiting or running job needs.
-- ARGV: clock, sha256...
for i = 2, #ARGV do
  if not is_needed(ARGV[i]) then drop_blob(ARGV[i]) end
end
