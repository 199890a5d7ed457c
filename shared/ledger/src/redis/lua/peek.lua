-- Counts a batch's ready chunks on one lane. Changes nothing.
-- KEYS meta, due on the lane. Gives the count, or -1 if the batch is not followed: the lane may
-- forget it.
if not is_followed(KEYS[1]) then
  return -1
end
return redis.call('ZCOUNT', KEYS[2], '-inf', now_ms())
