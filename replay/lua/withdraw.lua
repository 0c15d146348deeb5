-- Deletes a session and leaves a tombstone, if nobody has written since it was read.
--
-- KEYS: all keys of the session, meta first
-- ARGV: version that was read, or '' where none was stored; how long the tombstone lasts (ms)
-- Reply: 1 if the session is withdrawn now, else 0.

local stored = redis.call('HMGET', KEYS[1], 'version', 'withdrawn')
if (stored[1] or '') ~= ARGV[1] then return 0 end

-- Deleting comes first: it is allowed when memory is full, and after it all else is.
redis.call('DEL', unpack(KEYS))
local version = tonumber(stored[1] or '0') + (stored[2] and 0 or 1)
redis.call('HSET', KEYS[1], 'version', string.format('%d', version), 'withdrawn', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
