"""Where sessions are kept: the bundle format, the stores, and what a viewer reads from them."""
