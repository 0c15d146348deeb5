-- Changes members of a cohort, all of one look at it or none, if the caller owns it; its lease begins anew.
--
-- KEYS: meta, members, ends, due, supports (all in one slot)
-- ARGV: owner, how long its lease lasts (ms), how long the state is kept (ms), a count and that many fields and values
--       of meta, then for each user: id, member or '' (none), until or '' (no member), number of the due event or ''
--       (none), the support before, the support now ('' where there is none)
-- Reply: 1, or 0 if somebody else owns it.
--
-- The first command that writes may be refused for lack of memory; after it none is, so it comes before all others.

local meta, members, ends, due, supports = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
if redis.call('HGET', meta, 'owner') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', meta, 'leased_until', string.format('%d', now + ARGV[2]))
local fields = tonumber(ARGV[4])
for place = 5, 4 + 2 * fields, 2 do redis.call('HSET', meta, ARGV[place], ARGV[place + 1]) end

for place = 5 + 2 * fields, #ARGV, 6 do
  local user, member, ends_at, event = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  local before, after = ARGV[place + 4], ARGV[place + 5]
  if member == '' then redis.call('HDEL', members, user) else redis.call('HSET', members, user, member) end
  if ends_at == '' then redis.call('ZREM', ends, user) else redis.call('ZADD', ends, ends_at, user) end
  if event == '' then redis.call('ZREM', due, user) else redis.call('ZADD', due, event, user) end
  if before ~= after and before ~= '' then redis.call('HDEL', supports, before) end
  if after ~= '' then redis.call('HSET', supports, after, user) end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
return 1
