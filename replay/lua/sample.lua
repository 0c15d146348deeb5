-- Picks sessions of a range of a sorted set, evenly: every one, or one of every so many.
--
-- KEYS: a listing by start
-- ARGV: lowest and highest score, how many are picked at most
-- Reply: how many are in the range, then the picked ones, latest first.

local most = tonumber(ARGV[3])
local first = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[2], '+inf')
local count = redis.call('ZCOUNT', KEYS[1], ARGV[1], ARGV[2])
if count <= most then
  local all = redis.call('ZREVRANGE', KEYS[1], first, first + count - 1)
  if count == 0 then all = {} end
  return {count, unpack(all)}
end
local reply = {count}
for pick = 0, most - 1 do
  local rank = first + math.floor(pick * count / most)
  reply[#reply + 1] = redis.call('ZREVRANGE', KEYS[1], rank, rank)[1]
end
return reply
