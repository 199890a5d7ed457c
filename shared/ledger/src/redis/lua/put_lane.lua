-- Stores a lane's record if its version is still the one that was read.
-- Crash before: nothing. After: stored; asking again gives 0, and `lane` tells.
-- KEYS record; ARGV version as read, next version, record.
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'record', ARGV[3])
return 1
