"""Keeps the members of cohorts in a table, as a CRM would: verifies each batch, applies each change once and in order.

    pip install standardwebhooks
    CRM_SECRET=whsec_... python receive.py members.sqlite [PORT]

Answer when the batch is safe, and within ten seconds: only then is it known to have arrived.
"""  # noqa: INP001 - a script that stands alone

import os
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

PORT = 8098
MAX_BYTES = 1 << 20
DAY_MS = 86_400_000
ARGUMENTS = sys.argv[1:]

webhook = Webhook(os.environ["CRM_SECRET"])


class Receiver(BaseHTTPRequestHandler):
    """Takes batches, one after the other."""

    timeout = 10

    def do_POST(self) -> None:
        """Verify a batch and apply it."""
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
        apply(message["data"]["events"])
        self.answer(204)

    def answer(self, status: int) -> None:
        """Answer without a body."""
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def apply(events: list[dict[str, Any]]) -> None:
    """Apply changes, all of a batch or none. What is not newer than what is known of a user came before.

    Who left is remembered for a day, in case something older comes late, and then deleted.
    """
    with closing(sqlite3.connect(ARGUMENTS[0])) as table, table:
        for event in events:
            table.execute(
                "insert into members values (:project_id, :cohort, :user_id, :event = 'enter', :sequence, :at) "
                "on conflict do update set is_member = excluded.is_member, sequence = excluded.sequence, "
                "at = excluded.at where excluded.sequence > sequence",
                event,
            )
        latest = max(event["at"] for event in events)
        table.execute("delete from members where not is_member and at < ?", (latest - DAY_MS,))


def make_table() -> None:
    """Make the table, where it is not there."""
    with closing(sqlite3.connect(ARGUMENTS[0])) as table, table:
        table.execute(
            "create table if not exists members (project_id text, cohort text, user_id text, is_member integer, "
            "sequence integer, at integer, primary key (project_id, cohort, user_id))"
        )


if __name__ == "__main__":
    make_table()
    server = HTTPServer(("127.0.0.1", int(ARGUMENTS[1]) if ARGUMENTS[1:] else PORT), Receiver)
    sys.stdout.write(f"waiting for cohorts on port {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
