-- Takes sessions that started before a moment out of the listings that every session of a project is in.
--
-- KEYS: time, score (both in the project's slot)
-- ARGV: moment (epoch ms), how many at most
-- Reply: how many were taken out.

local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, session_id in ipairs(old) do
  redis.call('ZREM', KEYS[2], session_id)
  redis.call('ZREM', KEYS[1], session_id)
end
return #old
