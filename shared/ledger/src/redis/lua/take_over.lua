-- Moves a reservation from one place to another by compare-and-set.
-- Crash before: nothing. After: it is moved; asking again gives 0, and `find` tells.
-- KEYS the hash; ARGV field, from, to.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
