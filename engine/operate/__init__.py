"""What operators see of a running engine: metrics, health, logs, traces."""
