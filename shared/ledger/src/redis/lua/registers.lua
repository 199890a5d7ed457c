-- The registers whose names begin alike, by name. Changes nothing.
-- KEYS registers, names; ARGV the first name, and what lies behind the last (ZRANGEBYLEX).
-- Gives name, what is stored, name, what is stored …
local found = {}
for _, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2])) do
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', KEYS[1], name)
end
return found
