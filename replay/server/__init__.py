"""The HTTP server for sessions and bundles."""

from replay.server.app import create_app
from replay.server.options import ServeOptions
from replay.server.services import Services

__all__ = ["ServeOptions", "Services", "create_app"]
