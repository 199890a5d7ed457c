-- A batch goes from one state to another by compare-and-set. Becoming active makes all its
-- chunks ready, also those whose holder saw another state and will want to sleep long.
-- Crash before: nothing. After: done; the lane's order learns of it from the caller or from a
-- rebuild.
-- KEYS meta, due, chunks; ARGV from, to. Gives {1, lanes} or {0}.
local meta, due, chunks = unpack(KEYS)
local state, lanes = unpack(redis.call('HMGET', meta, 'state', 'lanes'))
if state ~= ARGV[1] then
  return { 0 }
end
redis.call('HSET', meta, 'state', ARGV[2])
if ARGV[2] == 'active' then
  for lane in string.gmatch(lanes, '[^,]+') do
    for _, no in ipairs(redis.call('ZRANGE', due .. ':' .. lane, 0, -1)) do
      redis.call('HSET', chunks .. ':' .. no, 'wake', 0)
      redis.call('ZADD', due .. ':' .. lane, 0, no)
    end
  end
end
return { 1, lanes }
