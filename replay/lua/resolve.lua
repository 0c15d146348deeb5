-- Marks script errors as resolved: a sighting after that is a regression.
--
-- KEYS: book, marked (a sorted set: when errors were marked, for who follows that)
-- ARGV: now (epoch ms), how many marks are kept, for how long (ms), fingerprints
-- Reply: how many of them are in the book.

local found = 0
for place = 4, #ARGV do
  local text = redis.call('HGET', KEYS[1], ARGV[place])
  if text then
    local entry = cjson.decode(text)
    -- Clocks of visitors may be ahead: what was seen before is no regression, whatever it says.
    entry.resolved_at = math.max(tonumber(ARGV[1]), entry.last_t)
    entry.regressed, entry.regressed_t, entry.regressed_release = '', 0, ''
    redis.call('HSET', KEYS[1], ARGV[place], cjson.encode(entry))
    redis.call('ZADD', KEYS[2], ARGV[1], ARGV[place])
    found = found + 1
  end
end
if found > 0 then
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[2]))
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return found
