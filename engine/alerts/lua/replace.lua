-- Puts something else in a field of a hash, if it still is what it was seen to be.
--
-- KEYS: hash
-- ARGV: field, content as it was, content as it is to be
-- Reply: 1, or 0 if it is not that any more

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
