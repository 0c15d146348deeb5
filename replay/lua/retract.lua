-- Takes single signals out of a part of their project's stream.
--
-- KEYS: stream
-- ARGV: where to begin, how many entries to look at, ids of signals
-- Reply: where to go on, or '' at the end; then id and signal of each entry that was taken out.

local gone = {}
for place = 3, #ARGV do gone[ARGV[place]] = true end

local found = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
local reply = {''}
if #found == tonumber(ARGV[2]) then reply[1] = '(' .. found[#found][1] end
for _, entry in ipairs(found) do
  local fields = {}
  for place = 1, #entry[2], 2 do fields[entry[2][place]] = entry[2][place + 1] end
  if fields['id'] and gone[fields['id']] then
    redis.call('XDEL', KEYS[1], entry[1])
    reply[#reply + 1] = fields['id']
    reply[#reply + 1] = fields['signal'] or ''
  end
end
return reply
