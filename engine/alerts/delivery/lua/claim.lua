-- Takes messages that are due, for as long as a lease lasts; who does not say what came of them in time loses them.
--
-- KEYS: due, messages
-- ARGV: the wall clock (epoch ms), the end of the lease (epoch ms), how many at most
-- Reply: when the next one is due after these (epoch ms, '' if none is), and ids and JSON of those taken, in turn

local now, lease, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local taken = { '' }
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most)) do
  local text = redis.call('HGET', KEYS[2], id)
  if text then
    redis.call('ZADD', KEYS[1], lease, id)
    taken[#taken + 1] = id
    taken[#taken + 1] = text
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
local next_due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if next_due[2] then taken[1] = next_due[2] end
return taken
