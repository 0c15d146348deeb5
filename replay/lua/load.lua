-- Reads what a new owner of a session needs, all of one moment.
--
-- KEYS: meta, record, index, signals (all in the session's slot)
-- ARGV: fields of meta
-- Reply: their values, the record, the number of elements of the index, and signal ids with signals.

return {
  redis.call('HMGET', KEYS[1], unpack(ARGV)),
  redis.call('GET', KEYS[2]),
  redis.call('LLEN', KEYS[3]),
  redis.call('HGETALL', KEYS[4]),
}
