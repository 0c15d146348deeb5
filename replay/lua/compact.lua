-- Swaps a session's data for its compacted form, if nobody has written since it was read.
--
-- KEYS: meta, index, data:0, data:1
-- ARGV: version and generation that were read, new data, head of the index, grace (ms) in which readers of the old
--       index may still read the old data, then a count and that many blocks.
-- Reply: 1 if the bundle is compacted now, else 0.

local meta, index = KEYS[1], KEYS[2]
local stored = redis.call('HMGET', meta, 'version', 'generation', 'compacted')
if stored[1] ~= ARGV[1] then return 0 end
if stored[3] == '1' then return 1 end
if stored[2] ~= ARGV[2] then return 0 end

local generation = 1 - tonumber(stored[2])
local old, new = KEYS[4 - generation], KEYS[3 + generation]
local holes = redis.call('LINDEX', index, 1)
local lives = math.max(redis.call('PTTL', meta), 1)

redis.call('SET', new, ARGV[3], 'PX', lives)
redis.call('HSET', meta, 'generation', tostring(generation), 'compacted', '1')
redis.call('PEXPIRE', old, ARGV[5])
redis.call('DEL', index)
redis.call('RPUSH', index, string.sub(ARGV[4], 1, -2) .. string.format(
  ',"version":%d,"length":%d,"compacted":true,"data":"%s"}', tonumber(stored[1]), #ARGV[3], new), holes)
for place = 1, tonumber(ARGV[6]) do redis.call('RPUSH', index, ARGV[6 + place]) end
redis.call('PEXPIRE', index, lives)
return 1
