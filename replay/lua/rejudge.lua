-- Replaces what was judged of a session, if nobody has written since it was read: record, signals and tags.
--
-- KEYS: meta, record, signals, entries (all in the session's slot)
-- ARGV: base version and a blank and the token of its write, token, project, what is to be told outside of the session
--       (kept until that is done), record,
--       then a count and that many ids of signals that go, then a count and that many (signal id, signal),
--       then a count and that many names of listings that go, then a count and that many new ones.
-- Reply: what became of it.
--
-- The bundle and the state stay as they are, and so do the time at which the session expires and the token of the last
-- write: a mark of the input may yet have to vouch for that one.

local meta, record, signals, entries = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local version, token, project, withdrawn, judged = unpack(redis.call(
  'HMGET', meta, 'version', 'token', 'project', 'withdrawn', 'judged'))
if withdrawn or not version then return redis.status_reply('refused') end
if judged == ARGV[2] then return redis.status_reply('repeated') end
if version .. ' ' .. token ~= ARGV[1] or project ~= ARGV[3] then return redis.status_reply('refused') end

local place = 6
local function list(each)
  local found = {}
  for number = 1, tonumber(ARGV[place]) * each do found[number] = ARGV[place + number] end
  place = place + #found + 1
  return found
end
local gone, found, left, entered = list(1), list(2), list(1), list(1)

-- Lua passes so many arguments at most.
local function with_all(command, key, members)
  for start = 1, #members, 1000 do
    redis.call(command, key, unpack(members, start, math.min(start + 999, #members)))
  end
end

local lives = math.max(redis.call('PTTL', meta), 1)
-- The first command that writes may be refused for lack of memory; after it none is, so it comes before all others.
redis.call('HSET', meta, 'version', string.format('%d', tonumber(version) + 1), 'judged', ARGV[2], 'telling', ARGV[4])
redis.call('SET', record, ARGV[5], 'PX', lives)
with_all('HDEL', signals, gone)
with_all('HSET', signals, found)
if #left > 0 then
  local leaves = {}
  for _, name in ipairs(left) do leaves[name] = true end
  local stays = {}
  for _, name in ipairs(redis.call('SMEMBERS', entries)) do
    if not leaves[name] then stays[#stays + 1] = name end
  end
  redis.call('DEL', entries)
  with_all('SADD', entries, stays)
end
with_all('SADD', entries, entered)
for _, key in ipairs({signals, entries}) do redis.call('PEXPIRE', key, lives) end
return redis.status_reply('applied')
