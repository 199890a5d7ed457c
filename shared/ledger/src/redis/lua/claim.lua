-- Takes the lease of a chunk with a new fencing token.
-- Crash before: nothing. After: nobody else gets it until the lease ends; then it is ready.
-- KEYS meta, chunk, slots, due; ARGV number, lease in ms.
-- Gives {'gone'}, {'busy'} or {'held', token, now, batch state, not before, priority, lane, format,
-- first, slots}.
local meta, chunk, slots, due = unpack(KEYS)
local state, chunks, not_before, priority = unpack(redis.call('HMGET', meta,
  'state', 'chunks', 'not_before', 'priority'))
if not was_sealed(state) or tonumber(ARGV[1]) >= tonumber(chunks) then
  return { 'gone' }
end
if state == 'cancelled' and open_payouts(meta) == 0 then
  return { 'gone' }
end
local now = now_ms()
local lease_until, lane, format, first = unpack(redis.call('HMGET', chunk,
  'lease_until', 'lane', 'format', 'first'))
if tonumber(lease_until) > now then
  return { 'busy' }
end
local token = redis.call('HINCRBY', chunk, 'token', 1)
lease_until = later(now, ARGV[2])
redis.call('HSET', chunk, 'lease_until', lease_until, 'wake', NEVER)
redis.call('ZADD', due .. ':' .. lane, lease_until, ARGV[1])
return { 'held', token, now, state, not_before, priority, lane, format, first,
  redis.call('GET', slots) }
