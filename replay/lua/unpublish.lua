-- Takes a session's signals out of a part of its project's stream.
--
-- KEYS: stream
-- ARGV: session id, where to begin, how many entries to look at
-- Reply: where to go on, or '' at the end.

local found = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])
for _, entry in ipairs(found) do
  local fields = entry[2]
  for place = 1, #fields, 2 do
    if fields[place] == 'session_id' and fields[place + 1] == ARGV[1] then redis.call('XDEL', KEYS[1], entry[1]) end
  end
end
if #found < tonumber(ARGV[3]) then return '' end
return '(' .. found[#found][1]
