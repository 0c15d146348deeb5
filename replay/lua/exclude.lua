-- Adds users to those about whom nothing is stored, each with a number of its own by which others see that it is new.
--
-- KEYS: excluded
-- ARGV: how many there may be, digests
-- Reply: how many were added, or -1 if there would be too many: then none was.

local excluded = KEYS[1]
local new = {}
for place = 2, #ARGV do
  if not redis.call('ZSCORE', excluded, ARGV[place]) then new[#new + 1] = ARGV[place] end
end
if redis.call('ZCARD', excluded) + #new > tonumber(ARGV[1]) then return -1 end
local number = tonumber(redis.call('ZREVRANGE', excluded, 0, 0, 'WITHSCORES')[2] or '0')
for place, digest in ipairs(new) do redis.call('ZADD', excluded, string.format('%d', number + place), digest) end
return #new
