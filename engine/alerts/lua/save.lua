-- Stores what became of a project: state, position, listed alerts and messages move together or not at all.
--
-- KEYS: state, alerts, due, messages, sent, failed, failed_at
-- ARGV: token of the write this one builds on ('' for none), token of this one, position,
--       number of parts, for each its name and content; number of parts that are gone, their names;
--       number of alerts, for each its id and JSON; number of alerts not to be listed any more, their ids;
--       for how long all of it is kept if nobody writes any more (ms); the arguments of `enqueue`
-- Reply: 1 if it is stored; 0 if it was before, by a repetition of this call; -1 if somebody else has written since.

local state, alerts = KEYS[1], KEYS[2]
local token = redis.call('HGET', state, '!token') or ''
if token == ARGV[2] then return 0 end
if token ~= ARGV[1] then return -1 end

local place = 4
local function next_argument()
  place = place + 1
  return ARGV[place - 1]
end

for _ = 1, tonumber(next_argument()) do redis.call('HSET', state, next_argument(), next_argument()) end
for _ = 1, tonumber(next_argument()) do redis.call('HDEL', state, next_argument()) end
for _ = 1, tonumber(next_argument()) do redis.call('HSET', alerts, next_argument(), next_argument()) end
for _ = 1, tonumber(next_argument()) do redis.call('HDEL', alerts, next_argument()) end
local kept = next_argument()
enqueue({ due = KEYS[3], messages = KEYS[4], sent = KEYS[5], failed = KEYS[6], failed_at = KEYS[7] }, ARGV, place)
redis.call('HINCRBY', state, '!version', 1)
redis.call('HSET', state, '!token', ARGV[2], '!position', ARGV[3])
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, kept) end
return 1
