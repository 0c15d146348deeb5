-- Notes sightings of script errors in their project's book. The same sighting twice is one.
--
-- KEYS: book (hash: fingerprint -> entry, JSON), seen (sorted set: fingerprint by last sighting), in one slot
-- ARGV: how many entries there may be, how long the book is kept without a sighting (ms),
--       then for each sighting: fingerprint, mark, t (epoch ms), release or '', what it is
--
-- A mark stands for a signal. The sighting that made the entry stays the first; the first one after a resolution that is
-- not of a release the error was known from is the regression. Releases are joined by line breaks; the last 20 are kept.

local book, seen = KEYS[1], KEYS[2]

local function with_release(known, release)
  if release == '' or string.find('\n' .. known .. '\n', '\n' .. release .. '\n', 1, true) then return known end
  known = known == '' and release or known .. '\n' .. release
  local _, breaks = string.gsub(known, '\n', '')
  return breaks < 20 and known or string.gsub(known, '^[^\n]*\n', '', 1) .. ''
end

for place = 3, #ARGV, 5 do
  local fingerprint, mark, t, release, what = unpack(ARGV, place, place + 4)
  local text = redis.call('HGET', book, fingerprint)
  local entry
  t = tonumber(t)
  if text then
    entry = cjson.decode(text)
    local is_known_release = release ~= '' and with_release(entry.releases, release) == entry.releases
    if entry.resolved_at > 0 and entry.regressed == '' and t > entry.resolved_at and not is_known_release then
      entry.regressed, entry.regressed_t, entry.regressed_release = mark, t, release
    end
    if t > entry.last_t then entry.last_t, entry.last_release = t, release end
  else
    entry = {what = what, first = mark, first_t = t, first_release = release, last_t = t, last_release = release,
      releases = '', resolved_at = 0, regressed = '', regressed_t = 0, regressed_release = ''}
  end
  if entry.resolved_at == 0 or entry.regressed ~= '' then entry.releases = with_release(entry.releases, release) end
  local changed = cjson.encode(entry)
  if changed ~= text then
    redis.call('HSET', book, fingerprint, changed)
    redis.call('ZADD', seen, string.format('%d', entry.last_t), fingerprint)
  end
end

local excess = redis.call('HLEN', book) - tonumber(ARGV[1])
if excess > 0 then
  for _, fingerprint in ipairs(redis.call('ZRANGE', seen, 0, excess - 1)) do
    redis.call('HDEL', book, fingerprint)
    redis.call('ZREM', seen, fingerprint)
  end
end
redis.call('PEXPIRE', book, ARGV[2])
redis.call('PEXPIRE', seen, ARGV[2])
return excess
