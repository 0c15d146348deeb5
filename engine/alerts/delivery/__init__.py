"""Sending alerts: an outbox in Redis, bodies for each kind of receiver, and who sends what is due."""
