-- Writes a chunk of a `receiving` batch and renews the intake lease.
-- Crash before: nothing. After: the chunk is there, and not payable until the batch is sealed.
-- Asking again replaces it.
-- KEYS meta, chunk, slots, blocks, notes, due; ARGV number, rows, lane, format, first ordinal,
-- ms until an unsent row fails, lease in ms, the first 12 and last 20 bytes of a new slot,
-- blocks.
-- The chunk is ready, and the time of an unsent row begins, when the batch may go.
-- Between those bytes lie `since` and `give_up_at`, in whole seconds of ledger time.
local meta, chunk, slots, blocks, notes, due = unpack(KEYS)
local no, rows, lane = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local state, not_before = unpack(redis.call('HMGET', meta, 'state', 'not_before'))
if state ~= 'receiving' then
  return 0
end
local now = now_ms()
not_before = tonumber(not_before or 0)
local old_rows, old_lane = unpack(redis.call('HMGET', chunk, 'rows', 'lane'))
if old_rows then
  rows = rows - tonumber(old_rows)
  redis.call('ZREM', due .. ':' .. old_lane, no)
else
  redis.call('HINCRBY', meta, 'appended', 1)
end

local since = math.floor(now / 1000)
local give_up = math.min(math.floor(later(math.max(now, not_before), ARGV[6]) / 1000), 4294967295)
local slot = ARGV[8] .. struct.pack('<I4I4', since, give_up) .. ARGV[9]
redis.call('SET', slots, string.rep(slot, tonumber(ARGV[2])))
redis.call('DEL', chunk, blocks, notes)
for i = 10, #ARGV do
  redis.call('RPUSH', blocks, ARGV[i])
end
redis.call('HSET', chunk, 'rows', ARGV[2], 'lane', lane, 'format', ARGV[4], 'first', ARGV[5],
  'token', 0, 'lease_until', 0, 'wake', NEVER)
redis.call('ZADD', due .. ':' .. lane, not_before, no)

local top, lanes = unpack(redis.call('HMGET', meta, 'top', 'lanes'))
if not lanes then
  lanes = lane
elseif not string.find(',' .. lanes .. ',', ',' .. lane .. ',', 1, true) then
  lanes = lanes .. ',' .. lane
end
redis.call('HINCRBY', meta, 'rows', rows)
redis.call('HSET', meta, 'lanes', lanes, 'top', math.max(tonumber(top or 0), tonumber(no)),
  'intake_until', later(now, ARGV[7]))
return 1
