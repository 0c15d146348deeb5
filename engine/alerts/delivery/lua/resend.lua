-- Makes a message that failed due again, as new; one that has to wait for another that did not arrive waits for it.
--
-- KEYS: due, messages, failed, failed_at
-- ARGV: id, its JSON, id of the one that has to arrive before it (or ''), the wall clock (epoch ms)
-- Reply: 1, or 0 if it is not among the failed, or -1 if the one before it is

local due, messages, failed, failed_at = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, text, after, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HEXISTS', failed, id) == 0 then return 0 end
if after ~= '' and redis.call('HEXISTS', failed, after) == 1 then return -1 end
redis.call('HDEL', failed, id)
redis.call('ZREM', failed_at, id)
redis.call('HSET', messages, id, text)
local waits = after ~= '' and redis.call('HEXISTS', messages, after) == 1
if not waits then redis.call('ZADD', due, now, id) end
return 1
