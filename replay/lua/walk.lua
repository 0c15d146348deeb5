-- Walks a part of a sorted set of sessions from its highest score down, and gives those that are in other sets, too.
--
-- KEYS: the set that is walked, the set whose scores are wanted with each session, then sets to be in
-- ARGV: lowest and highest score (of the set that is walked), score and session after which to go on (session '': from
--       the start), how many are looked at at most, after how many found to stop, how many of the highest wanted scores
--       are wanted at least ('' for all), the wanted score only below and at which that counts, how a session id is to
--       begin, then lowest and highest score in each set to be in
-- Reply: '1' if the end was reached, score and session to go on after, how many were found, then session and wanted
--        score of each.

local walked, wanted = KEYS[1], KEYS[2]
local low, high, after_score, after = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local most, enough, best, below, prefix = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local first_bound = 10

-- Bytes decide, as in sorted sets; `<` would go by the server's locale.
local function is_before(one, other)
  for place = 1, math.min(#one, #other) do
    local a, b = string.byte(one, place), string.byte(other, place)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- The rank, from the highest on, of the first session that comes after a place in the order; it may have left it.
local function rank_after(score, session)
  local from, to = redis.call('ZCOUNT', walked, '(' .. score, '+inf'), redis.call('ZCOUNT', walked, score, '+inf')
  while from < to do
    local middle = math.floor((from + to) / 2)
    if is_before(redis.call('ZREVRANGE', walked, middle, middle)[1], session) then to = middle else from = middle + 1 end
  end
  return from
end

local rank = redis.call('ZCOUNT', walked, '(' .. high, '+inf')
if after ~= '' and tonumber(after_score) <= tonumber(high) then rank = rank_after(after_score, after) end
local last = redis.call('ZCOUNT', walked, low, '+inf') - 1
local stop = math.min(last, rank + most - 1)

local found, scores = {}, {}
local at_score, at = after_score, after
while rank <= stop and #found < enough do
  local page = redis.call('ZREVRANGE', walked, rank, math.min(rank + 499, stop), 'WITHSCORES')
  local ids, own = {}, {}
  for place = 1, #page, 2 do
    ids[#ids + 1], own[#own + 1] = page[place], page[place + 1]
  end
  local columns = {}
  for key = 3, #KEYS do columns[key - 2] = redis.call('ZMSCORE', KEYS[key], unpack(ids)) end
  if wanted ~= walked then columns[#columns + 1] = redis.call('ZMSCORE', wanted, unpack(ids)) end
  for place, id in ipairs(ids) do
    local is_in = prefix == '' or string.sub(id, 1, #prefix) == prefix
    for column = 1, #KEYS - 2 do
      local score = is_in and tonumber(columns[column][place] or '')
      local bound = first_bound + 2 * (column - 1)
      is_in = score and score >= tonumber(ARGV[bound]) and score <= tonumber(ARGV[bound + 1])
      if not is_in then break end
    end
    local score = own[place]
    if wanted ~= walked then score = columns[#columns][place] end
    if is_in and score then found[#found + 1], scores[#scores + 1] = id, score end
    rank, at_score, at = rank + 1, own[place], id
    if #found == enough then break end
  end
end

local reply = {rank > last and '1' or '0', at_score, at, #found}
local least = -math.huge
if best then
  local counting = {}
  for _, score in ipairs(scores) do
    if tonumber(score) < below then counting[#counting + 1] = tonumber(score) end
  end
  if #counting > best then
    table.sort(counting)
    least = counting[#counting - best + 1]
  end
end
for place, id in ipairs(found) do
  local score = tonumber(scores[place])
  if not best or (score >= least and score <= below) then
    reply[#reply + 1], reply[#reply + 2] = id, scores[place]
  end
end
return reply
