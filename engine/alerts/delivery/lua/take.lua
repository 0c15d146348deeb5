-- Takes the count of messages that were left out on a route, so that one message tells it.
--
-- KEYS: the counts of all routes
-- ARGV: name of the route
-- Reply: the count

local count = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
return tonumber(count or 0)
