-- Takes ready chunks of a batch on one lane, by time and number, and marks them as hinted.
-- Crash before: nothing. After: they are ready again when the hint's time has passed.
-- KEYS meta, due on the lane; ARGV how many at most, hint in ms. Gives their numbers.
if not is_followed(KEYS[1]) then
  return {}
end
local now = now_ms()
local ready = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[1])
local back_at = later(now, ARGV[2])
for i = 1, #ready do
  redis.call('ZADD', KEYS[2], back_at, ready[i])
end
return ready
