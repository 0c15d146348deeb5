-- Takes signals of sessions out of a part of their project's stream.
--
-- KEYS: stream
-- ARGV: where to begin, how many entries to look at, session ids
-- Reply: where to go on, or '' at the end; then session id, signal id and signal of each entry that was taken out.

local gone = {}
for place = 3, #ARGV do gone[ARGV[place]] = true end

local found = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
local reply = {''}
if #found == tonumber(ARGV[2]) then reply[1] = '(' .. found[#found][1] end
for _, entry in ipairs(found) do
  local fields = {}
  for place = 1, #entry[2], 2 do fields[entry[2][place]] = entry[2][place + 1] end
  if fields['session_id'] and gone[fields['session_id']] then
    redis.call('XDEL', KEYS[1], entry[1])
    for _, name in ipairs({'session_id', 'id', 'signal'}) do reply[#reply + 1] = fields[name] or '' end
  end
end
return reply
