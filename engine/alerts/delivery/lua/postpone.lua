-- Puts a message off, if it is still held by this lease.
--
-- KEYS: due, messages
-- ARGV: id, the end of the lease (epoch ms), when it is due again (epoch ms), its JSON
-- Reply: 1, or 0 if another holds it, or it is gone

if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or -1) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
return 1
