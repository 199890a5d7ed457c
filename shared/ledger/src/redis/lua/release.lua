-- Gives a lease back: the chunk is ready at `next_at`, or when a fact that came meanwhile wants
-- it. With an old token, or a second time, nothing happens.
-- Crash before: the chunk is ready when the lease ends. After: as said.
-- KEYS chunk, due; ARGV number, token, next_at.
local token, lease_until, lane, wake = unpack(redis.call('HMGET', KEYS[1],
  'token', 'lease_until', 'lane', 'wake'))
if token ~= ARGV[2] or lease_until == '0' then
  return 0
end
redis.call('HSET', KEYS[1], 'lease_until', 0)
redis.call('ZADD', KEYS[2] .. ':' .. lane, math.min(tonumber(ARGV[3]), tonumber(wake)), ARGV[1])
return 1
