"""Rebuilds a window's pages from its events: one pass masks each event, keeps the mirror and tells the interactions."""
