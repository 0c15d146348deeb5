"""Vendors' definitions of frustration: each preset is data for general machines, with the vendor's own option names.

The rules and numbers are those of the vendors' public source code in August 2026. What they did not make tunable is
not tunable here.
"""
