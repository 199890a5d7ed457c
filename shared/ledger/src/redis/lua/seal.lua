-- Seals: `receiving` -> `active` or `awaiting`. Its chunks were scheduled when they were
-- written; the state alone kept them from being given out.
-- Crash before: the intake lease ends and somebody rejects the batch. After: sealed for good;
-- the lane's order learns of it from the caller, or from a rebuild.
-- KEYS meta; ARGV state, chunks, rows, totals.
-- Gives {1, lanes, priority} if it is sealed now or was by the same call before, else {0}.
local meta = KEYS[1]
local state, chunks, totals, appended, top, rows, lanes, priority = unpack(redis.call('HMGET', meta,
  'state', 'chunks', 'totals', 'appended', 'top', 'rows', 'lanes', 'priority'))
if state ~= 'receiving' then
  local same = was_sealed(state) and chunks == ARGV[2] and totals == ARGV[4]
  return same and { 1, lanes, priority } or { 0 }
end
local whole = appended == ARGV[2] and tonumber(top) + 1 == tonumber(appended) and rows == ARGV[3]
if not whole then
  return redis.error_reply('BROKEN the batch was to be sealed with ' .. ARGV[2] .. ' chunks of '
    .. ARGV[3] .. ' rows in all; written: ' .. (appended or '0') .. ' chunks of '
    .. (rows or '0') .. ' rows, the last with number ' .. (top or 'none'))
end
redis.call('HSET', meta, 'state', ARGV[1], 'chunks', ARGV[2], 'totals', ARGV[4], 'changes', 0,
  'c0', rows, 'c1', 0, 'c2', 0, 'c3', 0, 'c4', 0, 'c5', 0, 'c6', 0, 'c7', 0, 'c8', 0)
redis.call('HDEL', meta, 'intake_until', 'appended', 'top', 'rows')
return { 1, lanes, priority }
