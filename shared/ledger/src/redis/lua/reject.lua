-- `receiving` -> `rejected`, on the field that sealing uses.
-- Crash before: nothing. After: nothing of it will ever be paid; its chunks are garbage, which
-- the caller or the next one who asks clears away.
-- KEYS meta; ARGV reason, '1' if only an ended intake lease counts.
-- Gives {is it rejected now, the highest number of its chunks if they are still there}.
local meta = KEYS[1]
local state, intake_until, top = unpack(redis.call('HMGET', meta, 'state', 'intake_until', 'top'))
if state == 'receiving' then
  if ARGV[2] == '1' and tonumber(intake_until) > now_ms() then
    return { 0 }
  end
  redis.call('HSET', meta, 'state', 'rejected', 'reason', ARGV[1])
elseif state ~= 'rejected' then
  return { 0 }
end
return { 1, top }
