-- Forgets messages of a project that failed long ago, or that are too many.
--
-- KEYS: failed, failed_at
-- ARGV: the wall clock (epoch ms), how many are kept, for how long (ms)
-- Reply: how many there are

trim(KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
return redis.call('HLEN', KEYS[1])
