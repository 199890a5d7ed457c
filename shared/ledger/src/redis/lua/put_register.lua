-- Stores a register if its version is still the one that was read, and lists its name.
-- Crash before: nothing. After: stored; asking again gives 0, and `register` tells.
-- KEYS registers, names; ARGV name, version as read, what is to be stored: next version, ' ', text.
local stands = redis.call('HGET', KEYS[1], ARGV[1])
if (stands and string.match(stands, '^%d+') or '0') ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1
