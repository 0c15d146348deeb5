-- Moves a shard's mark, if its owner and count are those it was seen with. The same move twice in a row is one.
--
-- KEYS: mark
-- ARGV: owner, count, log, offset
-- Reply: 1 if the mark stands as asked, else 0.

local mark = KEYS[1]
local log, offset, owner, count, claim = unpack(redis.call('HMGET', mark, 'log', 'offset', 'owner', 'count', 'claim'))
local moved = string.format('%d', tonumber(ARGV[2]) + 1)
if owner ~= ARGV[1] then return 0 end
-- Only a move takes the claim away, so without one the count was reached by moving.
if count == moved and not claim and log == ARGV[3] and offset == ARGV[4] then return 1 end
if count ~= ARGV[2] then return 0 end
redis.call('HSET', mark, 'log', ARGV[3], 'offset', ARGV[4], 'count', moved)
redis.call('HDEL', mark, 'claim', 'owner_before')
return 1
