-- Takes the report lease, if a result file is due and nobody writes it.
-- Crash before: nothing. After: somebody else may take it when the lease ends.
-- KEYS meta; ARGV lease in ms. Gives the whole record, or nothing.
local meta = KEYS[1]
local state, changes, reported, report_until = unpack(redis.call('HMGET', meta,
  'state', 'changes', 'reported', 'report_until'))
local over = state == 'complete' or (state == 'cancelled' and open_payouts(meta) == 0)
local now = now_ms()
if not over or reported == changes or tonumber(report_until or 0) > now then
  return {}
end
redis.call('HSET', meta, 'report_until', later(now, ARGV[1]))
return redis.call('HGETALL', meta)
