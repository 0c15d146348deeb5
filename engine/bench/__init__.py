"""Measures the core on one core of the machine, against limits measured in the same run."""
