-- Changes payouts of one chunk, each by compare-and-set on its whole 40 bytes, and keeps the
-- counters, the batch's state and the chunk's wake time with them.
-- Crash before: nothing. After: everything. Asked again, the rows stand in the way of
-- themselves and come back as they stand.
--
-- KEYS meta, chunk, slots, notes, due
-- ARGV 1 guard: I(ntent), H(eld), F(act); 2 token; 3 number of the chunk; 4, 5 first and last
--      row ('' without runs); 6 '1' if the rows lie in order and the span is read in one piece;
--      7 '1' if a payout has had an intent after this; 8 notes, packed, in the caller's order;
--      9 for each row with notes its index in the order of the runs and the length of its notes
--      (u32 each), in the order of 8; then for each run of neighbouring rows: first row, slots
--      as they were read, slots as they are to be, what that does to the counters (from, to:
--      a byte each, rows: u16), and the earliest due time ('' for never).
-- Gives {0} if the guard does not hold, else {1, conflicts, lanes, priority}: for each row that
-- changed meanwhile its number (u16) and its slot; lanes only if the batch is active again.
local meta, chunk, slots, notes, due = unpack(KEYS)
local guard, no = ARGV[1], ARGV[3]
local SLOT, RUNS = 40, 10

local m = redis.call('HMGET', meta, 'state', 'chunks', 'changes',
  'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'lanes', 'not_before',
  'priority')
local state = m[1]
if not was_sealed(state) or tonumber(no) >= tonumber(m[2]) then
  return { 0 }
end
if guard ~= 'F' then
  local token, lease_until = unpack(redis.call('HMGET', chunk, 'token', 'lease_until'))
  local now = now_ms()
  if token ~= ARGV[2] or tonumber(lease_until) <= now then
    return { 0 }
  end
  if guard == 'I' and (state ~= 'active' or tonumber(m[14] or 0) > now) then
    return { 0 }
  end
end
if #ARGV < RUNS then
  return { 1, '', '' }
end
local first_row, last_row = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('STRLEN', slots) < (last_row + 1) * SLOT then
  return redis.error_reply('BROKEN the chunk has no row ' .. last_row)
end

-- A script is not rolled back: what could be damaged is read before anything is written.
local counts, shift = {}, {}
for s = 1, 9 do
  counts[s], shift[s] = tonumber(m[s + 3]), 0
end
local changes = tonumber(m[3])
local lane, wake_before = unpack(redis.call('HMGET', chunk, 'lane', 'wake'))
if #counts < 9 or not changes or not lane or not tonumber(wake_before) then
  return redis.error_reply('BROKEN the counters or the lane of the chunk are gone')
end

local span = ARGV[6] == '1'
  and redis.call('GETRANGE', slots, first_row * SLOT, last_row * SLOT + SLOT - 1)
local changed, wake = 0, NEVER
local conflicts, left_out, index = {}, nil, 0

local function count(from, to, rows)
  shift[from + 1] = shift[from + 1] - rows
  shift[to + 1] = shift[to + 1] + rows
  changed = changed + rows
end

-- When a slot is due: bytes 26 to 31 (from 0), little end first.
local function due_of(payout)
  local a, b, c, d, e, f = string.byte(payout, 27, 32)
  return a + 256 * (b + 256 * (c + 256 * (d + 256 * (e + 256 * f))))
end

for i = RUNS, #ARGV, 5 do
  local first, old, new = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  local at, size = first * SLOT, #old
  local stands
  if span then
    local from = at - first_row * SLOT
    stands = string.sub(span, from + 1, from + size)
  else
    stands = redis.call('GETRANGE', slots, at, at + size - 1)
  end
  if stands == old then
    if new ~= old then
      redis.call('SETRANGE', slots, at, new)
      local counted = ARGV[i + 3]
      for j = 1, #counted, 4 do
        local from, to, low, high = string.byte(counted, j, j + 3)
        count(from, to, low + high * 256)
      end
      if ARGV[i + 4] ~= '' then
        wake = math.min(wake, tonumber(ARGV[i + 4]))
      end
    end
  else
    local pieces = {}
    for j = 1, size, SLOT do
      local is, was = string.sub(stands, j, j + SLOT - 1), string.sub(old, j, j + SLOT - 1)
      if is == was then
        local becomes = string.sub(new, j, j + SLOT - 1)
        if becomes ~= was then
          count(string.byte(was), string.byte(becomes), 1)
          wake = math.min(wake, due_of(becomes))
        end
        pieces[#pieces + 1] = becomes
      else
        local row = (j - 1) / SLOT
        conflicts[#conflicts + 1] = struct.pack('<I2', first + row) .. is
        left_out = left_out or {}
        left_out[index + row] = true
        pieces[#pieces + 1] = is
      end
    end
    local becomes = table.concat(pieces)
    if becomes ~= stands then
      redis.call('SETRANGE', slots, at, becomes)
    end
  end
  index = index + size / SLOT
end

local kept = ARGV[8]
if left_out and kept ~= '' then
  local pieces, at, owners = {}, 1, ARGV[9]
  for j = 1, #owners, 8 do
    local row, length = struct.unpack('<I4I4', owners, j)
    if not left_out[row] then
      pieces[#pieces + 1] = string.sub(kept, at, at + length - 1)
    end
    at = at + length
  end
  kept = table.concat(pieces)
end
if kept ~= '' then
  redis.call('RPUSH', notes, kept)
end

local awake = ''
if changed > 0 then
  local set = { 'HSET', meta, 'changes', changes + changed }
  for s = 1, 9 do
    counts[s] = counts[s] + shift[s]
    if shift[s] ~= 0 then
      set[#set + 1] = 'c' .. (s - 1)
      set[#set + 1] = counts[s]
    end
  end
  local open = 0
  for _, s in ipairs(OPEN_STATES) do
    open = open + counts[s + 1]
  end
  if open == 0 and (state == 'active' or state == 'paused') then
    set[#set + 1] = 'state'
    set[#set + 1] = 'complete'
  elseif open > 0 and state == 'complete' then
    set[#set + 1] = 'state'
    set[#set + 1] = 'active'
    awake = m[13]
  end
  if ARGV[7] == '1' then
    set[#set + 1] = 'sent'
    set[#set + 1] = '1'
  end
  redis.call(unpack(set))
end
if guard == 'F' and wake < NEVER then
  redis.call('ZADD', due .. ':' .. lane, 'LT', wake, no)
  if wake < tonumber(wake_before) then
    redis.call('HSET', chunk, 'wake', wake)
  end
end
return { 1, table.concat(conflicts), awake, m[15] }
