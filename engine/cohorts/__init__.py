"""Cohorts: users who met a condition, told to other programs when they come to and when they leave."""
