"""The engine: from recorded events to signals and bundles, and the programs that drive it."""
