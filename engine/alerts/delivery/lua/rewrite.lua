-- Replaces what is kept of a message, if it is still the same.
--
-- KEYS: the hash it is in
-- ARGV: id, what was read, what is to be there
-- Reply: 1, or 0 if something else is there by now

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
