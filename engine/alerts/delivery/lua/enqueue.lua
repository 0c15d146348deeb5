-- Puts messages into the outbox of a project: `enqueue(outbox, args, at)`, to be called inside a script of the owner.
--
-- outbox: names of the keys due, messages, sent, failed, failed_at
-- args, at: a table of texts and the place from which on it has: the wall clock (epoch ms), how many messages may wait,
--   how many messages follow, and of each its id, the id of the one that has to arrive before it (or ''), when it is due
--   (epoch ms), 1 if the one before it has to be known, and its JSON
-- Returns how many of them were taken. A message that waits, was sent or failed is not taken again.

local enqueue
do
  local function is_known(outbox, id)
    return redis.call('HEXISTS', outbox.messages, id) == 1 or redis.call('ZSCORE', outbox.sent, id)
      or redis.call('HEXISTS', outbox.failed, id) == 1
  end

  local function keep_failed(outbox, id, text, now)
    redis.call('HSET', outbox.failed, id, text)
    redis.call('ZADD', outbox.failed_at, now, id)
  end

  local function enqueue_one(outbox, now, room, id, after, due, must_be_known, text)
    if is_known(outbox, id) then return 0 end
    if redis.call('HLEN', outbox.messages) >= room then
      keep_failed(outbox, id, text, now)
      return 1
    end
    local before = after ~= '' and redis.call('HGET', outbox.messages, after)
    if before then
      local held_until = cjson.decode(before).held_until_ms
      if held_until and held_until > now then
        -- Over before its silence: nobody is told of either.
        redis.call('HDEL', outbox.messages, after)
        redis.call('ZREM', outbox.due, after)
        redis.call('ZADD', outbox.sent, now, after, now, id)
        return 0
      end
      -- It becomes due when the one before it has arrived.
      redis.call('HSET', outbox.messages, id, text)
      return 1
    end
    if after ~= '' and redis.call('HEXISTS', outbox.failed, after) == 1 then
      keep_failed(outbox, id, text, now)
      return 1
    end
    if must_be_known == '1' and not redis.call('ZSCORE', outbox.sent, after) then return 0 end
    redis.call('HSET', outbox.messages, id, text)
    redis.call('ZADD', outbox.due, due, id)
    return 1
  end

  function enqueue(outbox, args, at)
    local now, room, count = tonumber(args[at]), tonumber(args[at + 1]), tonumber(args[at + 2])
    local taken = 0
    for number = 0, count - 1 do
      local place = at + 3 + 5 * number
      taken = taken + enqueue_one(outbox, now, room, args[place], args[place + 1], args[place + 2], args[place + 3],
        args[place + 4])
    end
    return taken
  end
end
