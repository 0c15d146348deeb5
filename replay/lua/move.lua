-- Moves a shard's mark, if its owner and count are those it was seen with. The same move twice in a row is one.
--
-- KEYS: mark, then meta of sessions that were written since the last move (outside of a cluster; they are in other slots)
-- ARGV: owner, count, log, offset, then for each session the token of its last write, or '' if it was withdrawn
-- Reply: 1 if the mark stands as asked, else 0.
--
-- Redis may have lost its last moments and kept the mark of before them, which alone would say that all is well. So
-- what the mark is to vouch for has to be there.

local mark = KEYS[1]
local log, offset, owner, count, claim = unpack(redis.call('HMGET', mark, 'log', 'offset', 'owner', 'count', 'claim'))
local moved = string.format('%d', tonumber(ARGV[2]) + 1)
if owner ~= ARGV[1] then return 0 end
-- Only a move takes the claim away, so without one the count was reached by moving.
if count == moved and not claim and log == ARGV[3] and offset == ARGV[4] then return 1 end
if count ~= ARGV[2] then return 0 end
for place = 2, #KEYS do
  local written = ARGV[place + 3]
  local token, withdrawn = unpack(redis.call('HMGET', KEYS[place], 'token', 'withdrawn'))
  -- A session may have been deleted since it was written: its tombstone vouches for it too.
  if not withdrawn and (written == '' or written ~= token) then return 0 end
end
redis.call('HSET', mark, 'log', ARGV[3], 'offset', ARGV[4], 'count', moved)
redis.call('HDEL', mark, 'claim', 'owner_before')
return 1
