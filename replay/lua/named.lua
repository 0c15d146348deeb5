-- Finds sessions by the start of their ids, in a set in which many have the same score: among those, ids are in order.
--
-- KEYS: status
-- ARGV: start of the ids, how many are given at most
-- Reply: sessions, one more than asked for if there are more.

local status, prefix, most = KEYS[1], ARGV[1], tonumber(ARGV[2])

-- Bytes decide, as in sorted sets; `<` would go by the server's locale.
local function is_before(one, other)
  for place = 1, math.min(#one, #other) do
    local a, b = string.byte(one, place), string.byte(other, place)
    if a ~= b then return a < b end
  end
  return #one < #other
end

local found = {}
for _, score in ipairs({'0', '1'}) do
  local from, last = redis.call('ZCOUNT', status, '-inf', '(' .. score), redis.call('ZCOUNT', status, '-inf', score)
  local to = last
  while from < to do
    local middle = math.floor((from + to) / 2)
    if is_before(redis.call('ZRANGE', status, middle, middle)[1], prefix) then from = middle + 1 else to = middle end
  end
  while from < last and #found <= most do
    local page = redis.call('ZRANGE', status, from, math.min(from + 99, last - 1))
    for _, id in ipairs(page) do
      if string.sub(id, 1, #prefix) ~= prefix then from = last break end
      found[#found + 1] = id
      if #found > most then break end
    end
    from = from + 100
  end
end
return found
