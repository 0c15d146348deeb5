"""Sending things to addresses that people configured: guarded, signed, bounded. Nothing in here knows what is sent."""
