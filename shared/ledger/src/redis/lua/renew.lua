-- Moves the end of a live lease.
-- Crash before: the lease ends as it would have. After: later.
-- KEYS chunk, due; ARGV number, token, lease in ms.
local token, lease_until, lane = unpack(redis.call('HMGET', KEYS[1], 'token', 'lease_until', 'lane'))
local now = now_ms()
if token ~= ARGV[2] or tonumber(lease_until) <= now then
  return 0
end
lease_until = later(now, ARGV[3])
redis.call('HSET', KEYS[1], 'lease_until', lease_until)
redis.call('ZADD', KEYS[2] .. ':' .. lane, lease_until, ARGV[1])
return 1
