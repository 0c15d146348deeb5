-- Takes messages that are due, for as long as a lease lasts; who does not say what came of them in time loses them.
--
-- KEYS: due, messages, what this very call took (a list of ids, in case its reply gets lost and it comes again)
-- ARGV: the wall clock (epoch ms), the end of the lease (epoch ms), how many at most, how long that list is kept (ms)
-- Reply: when the next one is due after these (epoch ms, '' if none is), and ids and JSON of those taken, in turn

local due, messages, mine = KEYS[1], KEYS[2], KEYS[3]
local now, lease, most, kept = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if redis.call('EXISTS', mine) == 0 then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
    if redis.call('HEXISTS', messages, id) == 1 then
      redis.call('ZADD', due, lease, id)
      redis.call('RPUSH', mine, id)
    else
      redis.call('ZREM', due, id)
    end
  end
  redis.call('PEXPIRE', mine, kept)
end

local taken = { '' }
for _, id in ipairs(redis.call('LRANGE', mine, 0, -1)) do
  local text = redis.call('HGET', messages, id)
  if text then
    taken[#taken + 1] = id
    taken[#taken + 1] = text
  end
end
local next_due = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
if next_due[2] then taken[1] = next_due[2] end
return taken
