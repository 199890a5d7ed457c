-- A batch goes from one state to another by compare-and-set. Becoming active makes all its
-- chunks ready as soon as it may go, also those whose holder saw another state and will want to
-- sleep long.
-- Crash before: nothing. After: done; the lane's order learns of it from the caller or from a
-- rebuild.
-- KEYS meta, due, chunks; ARGV from, to. Gives {1, lanes, priority} or {0}.
local meta, due, chunks = unpack(KEYS)
local state, lanes, not_before, priority = unpack(redis.call('HMGET', meta,
  'state', 'lanes', 'not_before', 'priority'))
if state ~= ARGV[1] then
  return { 0 }
end
redis.call('HSET', meta, 'state', ARGV[2])
if ARGV[2] == 'active' then
  local at = tonumber(not_before or 0)
  for lane in string.gmatch(lanes, '[^,]+') do
    for _, no in ipairs(redis.call('ZRANGE', due .. ':' .. lane, 0, -1)) do
      local wake = tonumber(redis.call('HGET', chunks .. ':' .. no, 'wake'))
      redis.call('HSET', chunks .. ':' .. no, 'wake', math.min(wake, at))
      redis.call('ZADD', due .. ':' .. lane, 'LT', at, no)
    end
  end
end
return { 1, lanes, priority }
