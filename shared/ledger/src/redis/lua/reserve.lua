-- Reserves references of one family.
-- Crash before: nothing. After: they are held by a batch that nobody may ever seal; the next
-- one who wants them takes them over.
-- KEYS the hashes of the family that are touched; ARGV for each of them its entries, one behind
-- the other: 15 bytes of the key, 20 of the place.
-- Gives a string: for each entry that another place holds, its number in the order of all
-- entries (u32) and the 20 bytes of that place.
local held, count = {}, 0
for k = 1, #KEYS do
  local key, entries = KEYS[k], ARGV[k]
  for at = 1, #entries, 35 do
    local field = string.sub(entries, at, at + 14)
    local place = string.sub(entries, at + 15, at + 34)
    if redis.call('HSETNX', key, field, place) == 0 then
      local by = redis.call('HGET', key, field)
      if by ~= place then
        held[#held + 1] = struct.pack('<I4', count) .. by
      end
    end
    count = count + 1
  end
end
return table.concat(held)
