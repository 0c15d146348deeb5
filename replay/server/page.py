"""The start page: the sessions that hurt most, and where. Made on the server; no script, nothing loaded."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from replay.server.access import access_of
from replay.server.services import Services
from replay.store import SessionQuery
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 0 }
article { border-top: 1px solid #ddd; padding: .8rem 0 }
.score { font-weight: 700; margin-right: .6rem } .tag { background: #fde8e8; border-radius: 3px; padding: 0 .4rem }
ol { margin: .3rem 0; padding-left: 1.4rem } small, a { color: #666 } code { overflow-wrap: anywhere }
"""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
"""Allows this page's own style sheet by its hash, and nothing else."""

_PAGE_PROJECTS: Final = 20
_PAGE_SESSIONS: Final = 25

MAX_MOMENTS: Final = 20
"""Moments shown of one session; its signals have them all."""


def routes(services: Services) -> list[BaseRoute]:
    """List the page."""
    return [Route("/", _Page(services).answer)]


class _Page:
    def __init__(self, services: Services) -> None:
        self._store = services.store

    async def answer(self, request: Request) -> Response:
        """Show the sessions with the highest score of each project."""
        projects = []
        for project_id in filter(access_of(request).reaches, (await self._store.projects())[:_PAGE_PROJECTS]):
            listed = await self._store.sessions(SessionQuery(project_id, by="score", limit=_PAGE_SESSIONS))
            entries = [Entry(each, await self._store.signals(each.session_id)) for each in listed.sessions]
            projects.append((project_id, entries))
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return Response(render_page(projects), media_type="text/html", headers=headers)


class Entry(msgspec.Struct, frozen=True):
    """A session and its signals."""

    record: SessionRecord
    signals: list[Signal]


def render_page(projects: Sequence[tuple[str, Sequence[Entry]]]) -> str:
    """Write the page; every word from a recording is text, isolated from the direction of what is around it."""
    sections = [f"<h2>{_text(project)}</h2>" + "".join(map(_article, entries)) for project, entries in projects]
    body = "".join(sections) or "<p>No sessions yet.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Wince</title>'
        f"<style>{_STYLE}</style><h1>The moments when people winced</h1>{body}</html>"
    )


def _text(value: str) -> str:
    return f"<bdi>{escape(value)}</bdi>"


def _article(entry: Entry) -> str:
    record = entry.record
    href = "/api/v1/sessions/" + quote(record.session_id, safe="")
    tags = " ".join(f'<span class="tag">{_text(tag)} {count}</span>' for tag, count in sorted(record.tags.items()))
    moments = "".join(f"<li>{_moment(signal, record.started_at)}</li>" for signal in entry.signals[:MAX_MOMENTS])
    more = len(entry.signals) - MAX_MOMENTS
    rest = f"<small>and {more} more</small>" if more > 0 else ""
    return (
        f'<article><span class="score">{record.score:g}</span><code>{_text(record.session_id)}</code> {tags}'
        f" <small>{_moment_of_day(record.started_at)}</small>"
        f"<ol>{moments}</ol>{rest} {_links(href)}</article>"
    )


def _links(href: str) -> str:
    parts = {"record": "", "signals": "/signals", "explain": "/explain"}
    return " ".join(f'<a href="{escape(href + path)}">{name}</a>' for name, path in parts.items())


def _moment(signal: Signal, started_at: int) -> str:
    minutes, seconds = divmod(max(signal.t - started_at, 0) // 1000, 60)
    target = f" on <code>{_text(signal.target.selector)}</code>" if signal.target else ""
    return f"{minutes}:{seconds:02} {_text(signal.detector)}{target} <small>{_text(signal.page)}</small>"


def _moment_of_day(t: int) -> str:
    try:
        return datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"{t} ms"
