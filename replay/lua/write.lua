-- One write of one session: all of it, or nothing.
--
-- KEYS: meta, record, index, signals, entries, data:0, data:1 (all in the session's slot)
-- ARGV: base version and a blank and the token of its write (if that is known), token, project, position, deadline or '', shard, rule of retention, byte cap,
--       '1' if the writer has cut its blocks to the cap, head of the index, holes or '' (unchanged),
--       state or '' (unchanged), outbox, record,
--       then a count and that many listing names, then a count and that many (signal id, signal),
--       then a count and that many (block without offset, its raw bytes, its data).
-- Reply, in one line: what became of it, the version now, the number of blocks, raw bytes stored.
--
-- The first command that writes may be refused for lack of memory; after it none is, so it comes before all others.

local meta, record, index, signals, entries = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local stored = redis.call('HMGET', meta, 'version', 'token', 'project', 'raw_bytes', 'full', 'generation',
  'withdrawn', 'compacted', 'retention')
local version = tonumber(stored[1] or '0')
local raw_bytes = tonumber(stored[4] or '0')
local generation = tonumber(stored[6] or '0')
local data = KEYS[6 + generation]
-- The rule of the first write holds, whatever the settings are by now.
local retention = stored[9] or ARGV[7]

local function reply(status)
  local blocks = math.max(redis.call('LLEN', index) - 2, 0)
  return redis.status_reply(string.format('%s %d %d %d', status, version, blocks, raw_bytes))
end

if stored[7] then return reply('refused') end
local base, base_token = string.match(ARGV[1], '^(%d+) ?(.*)$')
if version ~= tonumber(base) then
  if stored[2] == ARGV[2] then return reply('repeated') end
  return reply('refused')
end
-- A server that was put back to an older dump gives versions again, to other writes.
if base_token ~= '' and base_token ~= stored[2] then return reply('refused') end
if stored[3] and stored[3] ~= ARGV[3] then return reply('refused') end

-- Where each list begins: the place of its count.
local name_count = 15
local signal_count = name_count + 1 + ARGV[name_count]
local block_count = signal_count + 1 + 2 * ARGV[signal_count]

local added = 0
for place = block_count + 1, #ARGV, 3 do added = added + tonumber(ARGV[place + 1]) end
local has_blocks, cut = #ARGV > block_count, ARGV[9] == '1'
if has_blocks and not cut and (stored[5] or raw_bytes + added > tonumber(ARGV[8])) then
  raw_bytes = stored[5] and tonumber(ARGV[8]) or raw_bytes
  return reply('over')
end

-- Lua passes so many arguments at most.
local function with_all(command, key, first, last)
  for start = first, last, 1000 do
    redis.call(command, key, unpack(ARGV, start, math.min(start + 999, last)))
  end
end

-- How long the session lives from now on (ms): its tags may have it live longer.
local function lifetime()
  local base, longest, tags = string.match(retention, '^(%d+) (%d+)(.*)$')
  local lives = tonumber(base)
  for tag, tagged in string.gmatch(tags, ' ([^ =]+)=(%d+)') do
    if tonumber(tagged) > lives and redis.call('SISMEMBER', entries, 'tag:' .. tag) == 1 then
      lives = tonumber(tagged)
    end
  end
  return string.format('%d', math.min(lives, tonumber(longest)))
end

version = version + 1
raw_bytes = raw_bytes + added
redis.call('HSET', meta, 'version', string.format('%d', version), 'token', ARGV[2], 'project', ARGV[3],
  'position', ARGV[4], 'deadline', ARGV[5], 'shard', ARGV[6], 'raw_bytes', string.format('%d', raw_bytes),
  'generation', string.format('%d', generation), 'outbox', ARGV[13],
  'retention', retention)
if ARGV[12] ~= '' or version == 1 then redis.call('HSET', meta, 'state', ARGV[12]) end
if cut then redis.call('HSET', meta, 'full', '1') end
if version == 1 then redis.call('DEL', record, index, signals, entries, KEYS[6], KEYS[7]) end
if redis.call('EXISTS', index) == 0 then redis.call('RPUSH', index, '{}', '[]') end

with_all('SADD', entries, name_count + 1, signal_count - 1)
local lives = lifetime()
redis.call('SET', record, ARGV[14], 'PX', lives)
with_all('HSET', signals, signal_count + 1, block_count - 1)

local compacted = stored[8] == '1' and not has_blocks
local length
for place = block_count + 1, #ARGV, 3 do
  length = redis.call('APPEND', data, ARGV[place + 2])
  redis.call('RPUSH', index, string.sub(ARGV[place], 1, -2) .. string.format(
    ',"offset":%d}', length - #ARGV[place + 2]))
end
if has_blocks then redis.call('HDEL', meta, 'compacted') end
redis.call('LSET', index, 0, string.sub(ARGV[10], 1, -2) .. string.format(
  ',"version":%d,"length":%d,"compacted":%s,"data":"%s"}',
  version, length or redis.call('STRLEN', data), tostring(compacted), data))
if ARGV[11] ~= '' then redis.call('LSET', index, 1, ARGV[11]) end

for _, key in ipairs({meta, index, signals, entries, data}) do redis.call('PEXPIRE', key, lives) end
return reply('applied')
