"""Whether a Docker engine answers, for testcontainers."""

import os
import socket
from urllib.parse import urlsplit

ANSWER_SECONDS = 2.0
DEFAULT_HOST = "unix:///var/run/docker.sock"


def docker_answers() -> bool:
    """Ask the engine that `DOCKER_HOST` names, or the usual one; where there is none the answer comes at once."""
    where = urlsplit(os.environ.get("DOCKER_HOST") or DEFAULT_HOST)
    is_local = where.scheme == "unix"
    with socket.socket(socket.AF_UNIX if is_local else socket.AF_INET) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(where.path if is_local else (where.hostname, where.port or 2375))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False
