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

-- Keeps of a page the sessions with a score within bounds in one more set, and gives these scores. Scores are texts
-- made for us, which is most of the work: nobody is asked for one that is not needed.
local function keep(key, page, lowest, highest)
  local kept, given = {ids = {}, places = {}}, {}
  if #page.ids == 0 then return kept, given end
  for place, text in ipairs(redis.call('ZMSCORE', key, unpack(page.ids))) do
    local score = text and tonumber(text)
    if score and score >= lowest and score <= highest then
      local next = #kept.ids + 1
      kept.ids[next], kept.places[next], given[next] = page.ids[place], page.places[place], text
    end
  end
  return kept, given
end

local found, scores = {}, {}
local at = after
while rank <= stop and #found < enough do
  local ids = redis.call('ZREVRANGE', walked, rank, math.min(rank + 499, stop))
  local page = {ids = {}, places = {}}
  for place, id in ipairs(ids) do
    if prefix == '' or string.sub(id, 1, #prefix) == prefix then
      local next = #page.ids + 1
      page.ids[next], page.places[next] = id, place
    end
  end
  -- Those that few pass come first, so that the others are asked for few.
  for key = 3, #KEYS do page = keep(KEYS[key], page, tonumber(ARGV[2 * key + 4]), tonumber(ARGV[2 * key + 5])) end
  local passed, left = #ids, enough - #found
  if #page.ids > left then
    for place = #page.ids, left + 1, -1 do page.ids[place] = nil end
  end
  if #page.ids == left then passed = page.places[left] end
  local given
  page, given = keep(wanted, page, -math.huge, math.huge)
  for place, id in ipairs(page.ids) do found[#found + 1], scores[#scores + 1] = id, given[place] end
  rank, at = rank + passed, ids[passed]
end
local at_score = at ~= after and redis.call('ZSCORE', walked, at) or after_score

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
