-- One write of one session: all of it, or nothing.
--
-- KEYS: meta, record, index, signals, entries, data:0, data:1 (all in the session's slot)
-- ARGV: base version, token, project, position, record, state or '' (unchanged), deadline or '', time to live (ms),
--       byte cap, '1' if the writer has cut its blocks to the cap, head of the index, holes or '' (unchanged), shard,
--       outbox,
--       then a count and that many (block without offset, its raw bytes, its data),
--       then a count and that many (signal id, signal), then a count and that many listing names.
-- Reply: what became of it, the version now, the number of blocks, raw bytes stored.
--
-- The first command that writes may be refused for lack of memory; after it none is, so it comes before all others.

local meta, record, index, signals, entries = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local stored = redis.call('HMGET', meta, 'version', 'token', 'project', 'raw_bytes', 'full', 'generation',
  'withdrawn')
local version = tonumber(stored[1] or '0')
local raw_bytes = tonumber(stored[4] or '0')
local generation = tonumber(stored[6] or '0')
local data = KEYS[6 + generation]

local function reply(status)
  return {status, version, math.max(redis.call('LLEN', index) - 2, 0), raw_bytes}
end

if stored[7] then return reply('refused') end
if version ~= tonumber(ARGV[1]) then
  if stored[2] == ARGV[2] then return reply('repeated') end
  return reply('refused')
end
if stored[3] and stored[3] ~= ARGV[3] then return reply('refused') end

local cursor = 15
local blocks, added = {}, 0
for place = 1, tonumber(ARGV[cursor]) do
  blocks[place] = {ARGV[cursor + 1], ARGV[cursor + 3]}
  added = added + tonumber(ARGV[cursor + 2])
  cursor = cursor + 3
end
local cut = ARGV[10] == '1'
if #blocks > 0 and not cut and (stored[5] or raw_bytes + added > tonumber(ARGV[9])) then
  raw_bytes = stored[5] and tonumber(ARGV[9]) or raw_bytes
  return reply('over')
end

version = version + 1
raw_bytes = raw_bytes + added
redis.call('HSET', meta, 'version', string.format('%d', version), 'token', ARGV[2], 'project', ARGV[3],
  'position', ARGV[4], 'deadline', ARGV[7], 'raw_bytes', string.format('%d', raw_bytes),
  'generation', string.format('%d', generation), 'shard', ARGV[13], 'outbox', ARGV[14])
if ARGV[6] ~= '' or version == 1 then redis.call('HSET', meta, 'state', ARGV[6]) end
if cut then redis.call('HSET', meta, 'full', '1') end
if version == 1 then redis.call('DEL', record, index, signals, entries, KEYS[6], KEYS[7]) end

redis.call('SET', record, ARGV[5])
if redis.call('EXISTS', index) == 0 then redis.call('RPUSH', index, '{}', '[]') end
if #blocks > 0 then redis.call('HDEL', meta, 'compacted') end
for _, block in ipairs(blocks) do
  local offset = redis.call('STRLEN', data)
  redis.call('APPEND', data, block[2])
  redis.call('RPUSH', index, string.sub(block[1], 1, -2) .. string.format(',"offset":%d}', offset))
end
local compacted = redis.call('HEXISTS', meta, 'compacted') == 1
redis.call('LSET', index, 0, string.sub(ARGV[11], 1, -2) .. string.format(
  ',"version":%d,"length":%d,"compacted":%s,"data":"%s"}',
  version, redis.call('STRLEN', data), tostring(compacted), data))
if ARGV[12] ~= '' then redis.call('LSET', index, 1, ARGV[12]) end

cursor = cursor + 1
for _ = 1, tonumber(ARGV[cursor]) do
  redis.call('HSET', signals, ARGV[cursor + 1], ARGV[cursor + 2])
  cursor = cursor + 2
end
cursor = cursor + 1
for _ = 1, tonumber(ARGV[cursor]) do
  redis.call('SADD', entries, ARGV[cursor + 1])
  cursor = cursor + 1
end

for _, key in ipairs({meta, record, index, signals, entries, data}) do redis.call('PEXPIRE', key, ARGV[8]) end
return reply('applied')
