-- Deletes a session and leaves a tombstone, if nobody has written since it was read.
--
-- KEYS: all keys of the session, meta first
-- ARGV: version that was read, or '' where none was stored; how long the tombstone lasts (ms), its id, the reason, now
--       (epoch ms)
-- Reply: '' if somebody has written, else what the tombstone says: id, reason, when, project. One that stood is kept.

local meta = KEYS[1]
local stored = redis.call('HMGET', meta, 'version', 'withdrawn', 'tombstone', 'at', 'project')
if (stored[1] or '') ~= ARGV[1] then return {''} end

-- Deleting comes first: it is allowed when memory is full, and after it all else is.
redis.call('DEL', unpack(KEYS))
local version = tonumber(stored[1] or '0') + (stored[2] and 0 or 1)
local told = {ARGV[3], ARGV[4], ARGV[5], stored[5] or ''}
if stored[2] then told = {stored[3] or ARGV[3], stored[2], stored[4] or ARGV[5], stored[5] or ''} end
redis.call('HSET', meta, 'version', string.format('%d', version), 'tombstone', told[1], 'withdrawn', told[2],
  'at', told[3], 'project', told[4])
redis.call('PEXPIRE', meta, ARGV[2])
return told
