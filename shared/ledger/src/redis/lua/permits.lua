-- Draws evenly spaced slots of time for the whole pool (GCRA, in microseconds).
-- Crash before: nothing. After: the slots are taken; what nobody uses is lost, never sent late.
-- KEYS the lane's first free slot; ARGV interval in us, horizon in ms, how many at most.
-- Gives {count, ms to the first slot, or with count 0 until asking again makes sense, ms of now}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, want = math.max(tonumber(ARGV[1]), 1), tonumber(ARGV[3])
local horizon_end = now + tonumber(ARGV[2]) * 1000
local first = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local free = math.max(math.ceil((horizon_end - first) / interval), 0)
local count = math.min(want, free)
if count > 0 then
  redis.call('SET', KEYS[1], first + count * interval)
end
-- The first slot enters the horizon one microsecond after it stands at its end.
local wait = free == 0 and first - horizon_end + 1 or first - now
return { count, math.ceil(wait / 1000), math.floor(now / 1000) }
