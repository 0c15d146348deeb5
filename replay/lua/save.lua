-- Saves a filter of a project, if there are not too many.
--
-- KEYS: filters
-- ARGV: how many there may be, id, filter
-- Reply: 1 if it is saved now, else 0.

if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
