-- Put in front of every script, behind the constants NEVER and OPEN_STATES (the indices of the
-- states that a batch waits for), which come from `domain`.

-- Ledger time (S19): Redis' own, in milliseconds.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- `ms` after `now`, at most never.
local function later(now, ms)
  return math.min(now + tonumber(ms), NEVER)
end

local function was_sealed(state)
  return state and state ~= 'receiving' and state ~= 'rejected'
end

local function open_payouts(meta)
  local open = 0
  for _, s in ipairs(OPEN_STATES) do
    open = open + tonumber(redis.call('HGET', meta, 'c' .. s) or 0)
  end
  return open
end

-- Its chunks are given out: it is paid, or what is under way is followed to its end.
local function is_followed(meta)
  local state = redis.call('HGET', meta, 'state')
  return state == 'active' or state == 'paused'
    or (state == 'cancelled' and open_payouts(meta) > 0)
end
