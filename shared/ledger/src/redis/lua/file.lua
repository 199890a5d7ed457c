-- Moves a file's hash from the batch that held it (or from nobody) to another.
-- Crash before: nothing. After: the new batch holds it; asking again gives 1 again.
-- KEYS files; ARGV file hash, holder as it was read ('' for nobody), new holder.
local holder = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if holder ~= ARGV[3] then
  if holder ~= ARGV[2] then
    return 0
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
