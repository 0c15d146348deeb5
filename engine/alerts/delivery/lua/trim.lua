-- Forgets messages that failed: `trim(failed, failed_at, now, most, kept)`, to be called inside a script.
--
-- failed, failed_at: keys; now: the wall clock (epoch ms); most: how many are kept, for how long: kept (ms)

local function trim(failed, failed_at, now, most, kept)
  local function forget(ids)
    for _, each in ipairs(ids) do
      redis.call('HDEL', failed, each)
      redis.call('ZREM', failed_at, each)
    end
  end

  forget(redis.call('ZRANGEBYSCORE', failed_at, '-inf', now - kept, 'LIMIT', 0, 100))
  local beyond = redis.call('ZCARD', failed_at) - most
  if beyond > 0 then forget(redis.call('ZRANGE', failed_at, 0, beyond - 1)) end
end
