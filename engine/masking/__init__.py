"""The rules of masking: pure decisions about one value, for three levels; who is masked is decided elsewhere."""
