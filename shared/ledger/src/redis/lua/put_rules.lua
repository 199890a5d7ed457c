-- Stores rules that were fetched from a lane's provider over the older ones, with their time.
-- Crash before: the older ones stand. After: stored; asking again changes only the time.
-- KEYS the lane's rules; ARGV text.
redis.call('HSET', KEYS[1], 'fetched', now_ms(), 'text', ARGV[1])
return 1
