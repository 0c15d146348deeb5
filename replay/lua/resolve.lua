-- Marks script errors as resolved: a sighting after that is a regression.
--
-- KEYS: book
-- ARGV: now (epoch ms), fingerprints
-- Reply: how many of them are in the book.

local found = 0
for place = 2, #ARGV do
  local text = redis.call('HGET', KEYS[1], ARGV[place])
  if text then
    local entry = cjson.decode(text)
    -- Clocks of visitors may be ahead: what was seen before is no regression, whatever it says.
    entry.resolved_at = math.max(tonumber(ARGV[1]), entry.last_t)
    entry.regressed, entry.regressed_t, entry.regressed_release = '', 0, ''
    redis.call('HSET', KEYS[1], ARGV[place], cjson.encode(entry))
    found = found + 1
  end
end
return found
