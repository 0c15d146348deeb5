-- Appends signals to a project's stream, each content once: a signal is identified by its id and a digest of its text.
--
-- KEYS: stream, published (both in the project's slot)
-- ARGV: now (ms), how long signals stay in the stream (ms), how long it is known what it has had (ms), about how many
--       entries the stream holds, then for each signal: identity, id, session id, signal
-- Reply: how many were appended.

local stream, published = KEYS[1], KEYS[2]
local appended = 0
for place = 5, #ARGV, 4 do
  if redis.call('ZADD', published, 'NX', ARGV[1], ARGV[place]) == 1 then
    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '*',
      'id', ARGV[place + 1], 'session_id', ARGV[place + 2], 'signal', ARGV[place + 3])
    appended = appended + 1
  end
end
if appended > 0 then
  -- Entries are named by the server's clock.
  local seconds = tonumber(redis.call('TIME')[1])
  local oldest = math.max(seconds * 1000 - tonumber(ARGV[2]), 0)
  redis.call('XTRIM', stream, 'MINID', string.format('%d', oldest))
  -- Remembered are twice as many as the stream holds, so that what is still in it is never appended again.
  redis.call('ZREMRANGEBYRANK', published, 0, -1 - 2 * tonumber(ARGV[4]))
  redis.call('ZREMRANGEBYSCORE', published, '-inf', string.format('(%d', tonumber(ARGV[1]) - tonumber(ARGV[3])))
  redis.call('PEXPIRE', stream, ARGV[2])
  redis.call('PEXPIRE', published, ARGV[3])
end
return appended
