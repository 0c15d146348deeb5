-- Counts why data of a session was not stored; the same note twice (a repetition has the same moment) counts once.
--
-- KEYS: fate, meta (both in the session's slot)
-- ARGV: reason, count, now (ms), time to live (ms), how many different reasons are kept, project
-- Reply: 1 if it was counted.

local fate, reason = KEYS[1], ARGV[1]
-- Of a session that was withdrawn nothing is kept but its tombstone.
if redis.call('HEXISTS', KEYS[2], 'withdrawn') == 1 then return 0 end
local old = redis.call('HGET', fate, reason)
if not old and redis.call('HLEN', fate) >= tonumber(ARGV[5]) then return 0 end
local count, last = 0, nil
if old then
  count, last = string.match(old, '^(%d+) (%d+) ')
  if tonumber(last) == tonumber(ARGV[3]) then return 0 end
end
redis.call('HSET', fate, reason, string.format(
  '%d %d %s', tonumber(count) + tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[6]))
redis.call('PEXPIRE', fate, ARGV[4])
return 1
