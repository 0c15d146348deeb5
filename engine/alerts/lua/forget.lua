-- Forgets a project of which nothing came for long, if nobody has written since and no message waits or has failed.
--
-- KEYS: state, alerts, due, messages, sent, failed, failed_at
-- ARGV: token of the write this one builds on ('' for none), when it was heard of last (epoch ms), for how long nothing
--       has to have come (ms): also by the clock here, since one that is wrong must not make everything forgotten
-- Reply: 1 if nothing is kept any more, 0 if it has to stay, -1 if somebody else has written since.

local token = redis.call('HGET', KEYS[1], '!token') or ''
if token ~= ARGV[1] then return -1 end
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2] < tonumber(ARGV[3]) then return 0 end
if redis.call('HLEN', KEYS[4]) > 0 or redis.call('HLEN', KEYS[6]) > 0 then return 0 end
redis.call('DEL', unpack(KEYS))
return 1
