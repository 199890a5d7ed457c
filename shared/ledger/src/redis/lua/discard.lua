-- Takes back a batch that was opened for a file which another batch holds.
-- Crash before: a `receiving` batch without rows, whose lease ends. After: nothing is left.
-- KEYS meta. Only where it is still `receiving` and nothing was appended.
local state, top = unpack(redis.call('HMGET', KEYS[1], 'state', 'top'))
if state == 'receiving' and not top then
  redis.call('DEL', KEYS[1])
end
return 1
