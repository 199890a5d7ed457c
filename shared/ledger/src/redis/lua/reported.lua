-- A result file shows change number ARGV[1]; an older one never hides a newer.
-- Crash before: the report is written again when its lease ends. After: it is current.
-- KEYS meta; ARGV changes.
local reported = redis.call('HGET', KEYS[1], 'reported')
if redis.call('EXISTS', KEYS[1]) == 1 then
  if not reported or tonumber(reported) < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'reported', ARGV[1])
  end
  redis.call('HDEL', KEYS[1], 'report_until')
end
return 1
