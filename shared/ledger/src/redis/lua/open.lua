-- Opens a batch in state `receiving`, under an intake lease.
-- Crash before: nothing. After: a batch that no index names; asking again finds it here.
-- KEYS meta; ARGV name, file hash, lease in ms, not before, priority.
-- Gives the file hash of the batch that stands here already, or of the new one.
local meta = KEYS[1]
local before = redis.call('HGET', meta, 'sha')
if before then
  return before
end
local now = now_ms()
redis.call('HSET', meta, 'state', 'receiving', 'name', ARGV[1], 'sha', ARGV[2], 'created', now,
  'intake_until', later(now, ARGV[3]), 'not_before', ARGV[4], 'priority', ARGV[5])
return ARGV[2]
