-- Makes somebody the owner of a shard. The same claim twice (a repetition has the same token) is one.
--
-- KEYS: mark
-- ARGV: owner, token
-- Reply: the count now; then log, offset, owner and count as they were before.

local mark = KEYS[1]
local log, offset, owner, count, token, owner_before = unpack(redis.call(
  'HMGET', mark, 'log', 'offset', 'owner', 'count', 'claim', 'owner_before'))
if token == ARGV[2] then
  return {count, log, offset, owner_before, string.format('%d', tonumber(count) - 1)}
end
local claimed = string.format('%d', tonumber(count or '0') + 1)
redis.call('HSET', mark, 'owner', ARGV[1], 'count', claimed, 'claim', ARGV[2], 'owner_before', owner or '')
return {claimed, log, offset, owner, count}
