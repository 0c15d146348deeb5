-- Counts what is sent on a route in a minute.
--
-- KEYS: the count
-- ARGV: how many may be sent, how long a minute is (ms)
-- Reply: 1 if one more may be sent, 0 if not

local sent = redis.call('INCR', KEYS[1])
if sent == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sent <= tonumber(ARGV[1]) and 1 or 0
