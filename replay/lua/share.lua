-- Keeps a share link of a session, if the session is there.
--
-- KEYS: the session's record, its share links
-- ARGV: id of the link, what is kept of it, how long it lives (ms), how many links a session may have
-- Reply: 1, or 0 if there is no such session, or -1 if it has too many links

local id, text, life, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HLEN', KEYS[2]) >= most and redis.call('HEXISTS', KEYS[2], id) == 0 then return -1 end

redis.call('HSET', KEYS[2], id, text)
-- All links go when the last of them ends.
if redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], life) end
return 1
