"""Receives alerts: verifies each message, takes each once, and prints a line about it.

    pip install standardwebhooks
    ALERTS_SECRET=whsec_... python receive.py [PORT]

Answer quickly (within ten seconds, by default) and do what takes longer afterwards.
"""  # noqa: INP001 - a script that stands alone

import os
import sys
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

PORT = 8099
MAX_BYTES = 20_480
REMEMBERED = 10_000

webhook = Webhook(os.environ["ALERTS_SECRET"])
seen: OrderedDict[str, None] = OrderedDict()


class Receiver(BaseHTTPRequestHandler):
    """Takes messages."""

    timeout = 10

    def do_POST(self) -> None:
        """Verify a message and take it."""
        length = int(self.headers.get("content-length", 0))
        if not 0 < length <= MAX_BYTES:
            self.answer(413)
            return
        body = self.rfile.read(length)
        try:
            message = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.answer(401)
            return
        if is_new(self.headers["webhook-id"]):
            show(message)
        self.answer(204)

    def answer(self, status: int) -> None:
        """Answer without a body."""
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing but alerts."""


def is_new(message_id: str) -> bool:
    """Say whether a message came for the first time: the same one may come again, with the same id."""
    if message_id in seen:
        return False
    seen[message_id] = None
    if len(seen) > REMEMBERED:
        seen.popitem(last=False)
    return True


def show(message: dict[str, Any]) -> None:
    """Print what is told. Titles hold texts of pages: here nothing of them steers the terminal."""
    data, alert = message["data"], message["data"]["alert"]
    links = " ".join(link["url"] for link in data.get("links", []))
    line = f"{message['type']} {alert['id']} {alert['severity']} {alert['project_id']}: {alert['title']} {links}"
    say("".join(letter if letter.isprintable() else " " for letter in line))


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else PORT), Receiver)
    say(f"waiting for alerts on port {server.server_address[1]}")
    server.serve_forever()
