"""Alerts: windows over all sessions of a project, what is normal in them, and who is told when it is not."""
