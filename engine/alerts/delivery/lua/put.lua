-- Puts messages into the outbox of a project, for who has nothing else to write.
--
-- KEYS: due, messages, sent, failed, failed_at
-- ARGV: as `enqueue` takes them
-- Reply: how many were taken

local outbox = { due = KEYS[1], messages = KEYS[2], sent = KEYS[3], failed = KEYS[4], failed_at = KEYS[5] }
return enqueue(outbox, ARGV, 1)
