-- Gives a new ledger its id and the number of its layout; the first process to come decides.
-- Crash before: nothing. After: both stand; asking again changes nothing.
-- An older layout whose contents are right as they are becomes ours.
-- KEYS id, layout; ARGV id, layout, that older one. Gives the layout that stands ('' before it was
-- numbered).
if redis.call('SETNX', KEYS[1], ARGV[1]) == 1 then
  redis.call('SET', KEYS[2], ARGV[2])
elseif redis.call('GET', KEYS[2]) == ARGV[3] then
  redis.call('SET', KEYS[2], ARGV[2])
end
return redis.call('GET', KEYS[2]) or ''
