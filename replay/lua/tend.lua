-- Keeps listings of a project from growing and from lasting: takes out sessions that are gone by now.
--
-- How long a session may be listed is what its project's rule said when it was new, so the longest time that was ever
-- in force holds until it is over.
--
-- KEYS: longest, a listing by start, and maybe another one that holds the same sessions (all in the project's slot)
-- ARGV: now (epoch ms), how long a session is listed at most by the rule in force (ms), how many are taken out at most
-- Reply: how many were taken out.

local longest = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[2]) >= longest then
  longest = tonumber(ARGV[2])
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[2])
end

local before = string.format('(%d', tonumber(ARGV[1]) - longest)
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', before, 'LIMIT', 0, ARGV[3])
for place = 2, #KEYS do
  for _, session_id in ipairs(old) do redis.call('ZREM', KEYS[place], session_id) end
  redis.call('PEXPIRE', KEYS[place], string.format('%d', longest))
end
return #old
