"""Exports over HTTP: a file of a session at once, or a film of it when that is made."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.export.errors import ExportError, FilmFailed, NothingToShow, NotInstalled, TooLarge, TooSlow
from replay.export.film import MEDIA_TYPES, check_film, make_film
from replay.export.film_job import FilmOptions
from replay.export.html import MEDIA_TYPE, export_html
from replay.export.plan import Plan, plan_export
from replay.names import encode_name
from replay.room import Hold, Room
from replay.server.access import access_of, load_record
from replay.server.delivery import ROOM_WAIT_SECONDS, Delivery, begin
from replay.server.endpoints import SESSION_PATH, Endpoint, path_id
from replay.server.problems import problem
from replay.server.services import Services
from replay.summary.reading import summarize_session

FILE_PLACES: Final = 8
"""Files that are written at the same time, a quarter of them for one token: slow readers hold up themselves only."""

MAX_FILMS_AT_ONCE: Final = 1
"""A film keeps a processor busy and takes hundreds of MB of memory while it is made."""

FILM_TIME_LIMIT_SECONDS: Final = 120.0

_RETRY_SECONDS: Final = 15
_WATCH_SECONDS: Final = 1.0
_CHUNK_BYTES: Final = 1 << 18

_TITLES: Final[dict[type[ExportError], str]] = {
    NothingToShow: "nothing to show",
    TooLarge: "too large",
    NotInstalled: "not installed",
    TooSlow: "too slow",
    FilmFailed: "film failed",
}
_STATUSES: Final[dict[type[ExportError], int]] = {NothingToShow: 409, NotInstalled: 501}
_CANNOT_BE_MADE: Final = 422

Moment = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class ExportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_t": "from", "to_t": "to"}):
    """What to export: by default all of a session as an HTML file.

    `from` and `to` are epoch ms. Of several windows a file holds all that can be shown, a film the one of `window_id`
    or the first. `fps`, `width` (pixels) and `speed` are of films.
    """

    format: Literal["html", "gif", "mp4"] = "html"
    from_t: Moment | None = None
    to_t: Moment | None = None
    window_id: Annotated[str, msgspec.Meta(max_length=1_024)] | None = None
    fps: Annotated[int, msgspec.Meta(ge=1, le=30)] = FilmOptions().fps
    width: Annotated[int, msgspec.Meta(ge=320, le=1920)] = FilmOptions().width
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=16)] = FilmOptions().speed


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    return [
        Endpoint(
            path=f"{SESSION_PATH}/exports", method="POST", handler=Exporter(services).export, takes=ExportRequest,
            media_type="text/html", other_media_types=tuple(MEDIA_TYPES.values()), refusals=(409, 422, 501),
            is_watching=True, summary="Export a range of a session as one HTML file, or as a film",
        )
    ]  # fmt: skip


class _BusyError(ExportError):
    """As many exports as may be are being made."""


@dataclass
class Exporter:
    """Makes exports, a few at a time."""

    services: Services
    _files: Room = field(default_factory=lambda: Room(FILE_PLACES, ROOM_WAIT_SECONDS))
    _films: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FILMS_AT_ONCE))

    async def export(self, request: Request, asked: ExportRequest) -> Response:
        """Answer with the export, or with what is in its way."""
        try:
            record = await load_record(request, self.services, path_id(request, "session_id"))
            index = await self.services.store.index(record.session_id)
            plan = plan_export(record, index, asked.from_t, asked.to_t, asked.window_id)
            if asked.format == "html":
                return await self._file(plan, self._files.of(access_of(request).who))
            return await self._film(request, plan, _options(asked))
        except _BusyError as error:
            answer = problem(503, "busy", str(error))
            answer.headers["retry-after"] = str(_RETRY_SECONDS)
            return answer
        except ExportError as error:
            return problem(_STATUSES.get(type(error), _CANNOT_BE_MADE), _TITLES[type(error)], str(error))

    async def _file(self, plan: Plan, place: Hold) -> Response:
        """Send a file while it is written; its first piece is made before, while another answer is still possible."""
        pieces = await begin(self._pieces(plan, place))
        return Delivery(pieces, 200, _headers(plan, "html", MEDIA_TYPE), self.services.operations)

    async def _pieces(self, plan: Plan, place: Hold) -> AsyncGenerator[bytes, None]:
        async with place(1), aclosing(await self._html(plan)) as pieces:
            async for piece in pieces:
                yield piece

    async def _html(self, plan: Plan) -> AsyncGenerator[bytes, None]:
        store = self.services.store
        summary = await summarize_session(store, plan.record, plan.from_t, plan.to_t)
        return export_html(store, plan, summary, self.services.clock_ms())

    async def _film(self, request: Request, plan: Plan, options: FilmOptions) -> Response:
        """Make a film, as long as somebody waits for it."""
        check_film(plan, options)
        if self._films.locked():
            raise _BusyError("another film is being made")
        plan = msgspec.structs.replace(plan, windows=plan.windows[:1])
        async with self._films, _folder() as folder:
            making = make_film(
                plan, await self._html(plan), folder, options, time_limit_seconds=FILM_TIME_LIMIT_SECONDS
            )
            path = await _while_wanted(request, asyncio.ensure_future(making))
            headers = _headers(plan, options.format, MEDIA_TYPES[options.format])
            headers["content-length"] = str((await asyncio.to_thread(path.stat)).st_size)
            # The folder goes now; what is open stays until it is sent, or nobody wants it.
            pieces = await begin(_read(path))
        return Delivery(pieces, 200, headers, self.services.operations)


def _options(asked: ExportRequest) -> FilmOptions:
    fields = {name: getattr(asked, name) for name in FilmOptions.__struct_fields__}
    return msgspec.convert(fields, FilmOptions)


def _headers(plan: Plan, suffix: str, media_type: str) -> dict[str, str]:
    """Make the headers of a file to be kept. Opened from here it would be of our origin: it may do nothing there."""
    return {
        "content-type": media_type,
        "content-disposition": f'attachment; filename="wince-{encode_name(plan.record.session_id)}.{suffix}"',
        "content-security-policy": "sandbox; default-src 'none'",
    }


async def _read(path: Path) -> AsyncGenerator[bytes, None]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    """Make a folder for nobody else's eyes, and take it away with all that is in it."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="wince-export-"))
    try:
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


async def _while_wanted(request: Request, making: "asyncio.Future[Path]") -> Path:
    """Wait for a film, and give it up when the client leaves. Raises what making it raises."""
    try:
        while not (await asyncio.wait((making,), timeout=_WATCH_SECONDS))[0]:
            if await request.is_disconnected():
                raise FilmFailed("the client left")
        return making.result()
    finally:
        making.cancel()
        with suppress(asyncio.CancelledError, ExportError):
            await making
