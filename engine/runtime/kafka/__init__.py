"""Drives the core from Kafka: partitions in, writes to the store, signals and activity out."""
