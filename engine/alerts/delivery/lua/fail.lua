-- Puts a message that cannot be delivered, and the one that waits for it, among the failed, if held by this lease.
--
-- KEYS: due, messages, failed, failed_at
-- ARGV: id, the end of the lease (epoch ms), its JSON, id of the message that may wait for it, the wall clock (epoch ms),
--   how many are kept, for how long (ms)
-- Reply: 1, or 0 if another holds it, or it is gone

local due, messages, failed, failed_at = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, lease, text, waiting, now = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local most, kept = tonumber(ARGV[6]), tonumber(ARGV[7])
if tonumber(redis.call('ZSCORE', due, id) or -1) ~= lease then return 0 end

local function move(each, its_text)
  redis.call('ZREM', due, each)
  redis.call('HDEL', messages, each)
  redis.call('HSET', failed, each, its_text)
  redis.call('ZADD', failed_at, now, each)
end

move(id, text)
local held = redis.call('HGET', messages, waiting)
if held and not redis.call('ZSCORE', due, waiting) then move(waiting, held) end

trim(failed, failed_at, now, most, kept)
return 1
