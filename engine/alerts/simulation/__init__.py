"""Made-up traffic with known incidents and traps, to see how good alerts are."""
