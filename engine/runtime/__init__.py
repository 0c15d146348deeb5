"""What drives the core: reads input, keeps time, hands effects to a store."""
