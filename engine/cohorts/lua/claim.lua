-- Makes one process the owner of a cohort, if nobody else is; or gives it up, with a lease of 0.
--
-- KEYS: meta
-- ARGV: owner, how long the lease lasts (ms), how long the state is kept (ms)
-- Reply: for how long (ms) somebody else may still own it; 0: it is ours.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HMGET', KEYS[1], 'owner', 'leased_until')
local leased_until = tonumber(stored[2] or '0')
if stored[1] and stored[1] ~= ARGV[1] and leased_until > now then return leased_until - now end
if ARGV[2] == '0' and stored[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'leased_until', string.format('%d', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0
