-- Notes that a message arrived, whoever holds it now, and lets the one that waits for it go.
--
-- KEYS: due, messages, sent
-- ARGV: id, id of the message that may wait for it, the wall clock (epoch ms), how long this is remembered (ms)
-- Reply: 1 if that was news

local due, messages, sent = KEYS[1], KEYS[2], KEYS[3]
local id, waiting, now, kept = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREM', due, id)
local was_there = redis.call('HDEL', messages, id)
redis.call('ZADD', sent, now, id)
redis.call('ZREMRANGEBYSCORE', sent, '-inf', now - kept)
if redis.call('HEXISTS', messages, waiting) == 1 and not redis.call('ZSCORE', due, waiting) then
  redis.call('ZADD', due, now, waiting)
end
return was_there
