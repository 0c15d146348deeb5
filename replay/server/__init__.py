"""The HTTP server for sessions and bundles."""

from replay.server.app import create_app

__all__ = ["create_app"]
