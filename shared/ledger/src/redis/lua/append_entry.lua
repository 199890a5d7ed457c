-- Appends entry number `seq` to an audit chain, if it is the next.
-- Crash before: nothing. After: it stands for good; asking again gives 1 again.
-- KEYS chain; ARGV seq, entry. Gives 1 if this entry stands under this number now, else 0.
local seq, length = tonumber(ARGV[1]), redis.call('LLEN', KEYS[1])
if seq > length then
  return 0
elseif seq < length then
  return redis.call('LINDEX', KEYS[1], seq) == ARGV[2] and 1 or 0
end
redis.call('RPUSH', KEYS[1], ARGV[2])
return 1
