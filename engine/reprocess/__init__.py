"""Judging stored sessions again, under other rules: the bundles stay as they are."""
