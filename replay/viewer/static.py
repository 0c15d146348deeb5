"""The files of the front end: named one by one, under a path that changes with any of them."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ASSETS_FOLDER: Final = Path(__file__).parent / "assets"

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""What is served, by the ending of its name. Licences lie beside vendored files and are not served."""

PREFIX: Final = "/assets"

_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_MIN_GZIP_BYTES: Final = 1 << 10
_PACKED: Final = frozenset({".woff2"})
_COMPRESSION_LEVEL: Final = 6
_HASH_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the same gzipped where that is worth it, its strong validator and its media type."""

    content: bytes
    gzipped: bytes | None
    etag: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their path (`viewer/viewer.js`), and the hash of all of them together.

    The hash is part of every address, so that modules which import each other by relative addresses are always of one
    version, and nothing has to be asked for twice.
    """

    files: Mapping[str, Asset]
    version: str

    def address(self, path: str) -> str:
        """Return the address of a file. Raises KeyError if there is none."""
        if path not in self.files:
            raise KeyError(path)
        return f"{PREFIX}/{self.version}/{path}"

    def of_folders(self, *folders: str, suffix: str) -> list[str]:
        """List the paths of the files in folders that end in `suffix`, folder by folder, sorted by name."""
        return [
            path for folder in folders for path in self.files if path.startswith(f"{folder}/") and path.endswith(suffix)
        ]


@cache
def load_assets(folder: Path = ASSETS_FOLDER) -> Assets:
    """Read all files below a folder that have a media type; they are few and small, and stay in memory."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in MEDIA_TYPES)
    files = {path.relative_to(folder).as_posix(): _asset(path) for path in paths}
    whole = hashlib.sha256()
    for name, asset in files.items():
        whole.update(f"{name}\0{asset.etag}\0".encode())
    return Assets(files, whole.hexdigest()[:_HASH_DIGITS])


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    # No time of compression in it: the same file is the same bytes on every server.
    is_worth_it = len(content) >= _MIN_GZIP_BYTES and path.suffix not in _PACKED
    gzipped = gzip.compress(content, _COMPRESSION_LEVEL, mtime=0) if is_worth_it else None
    etag = hashlib.sha256(content).hexdigest()[: 2 * _HASH_DIGITS]
    return Asset(content, gzipped, etag, MEDIA_TYPES[path.suffix])


def asset_routes(assets: Assets) -> list[Route]:
    """Make one route a file: no path of a request ever becomes the name of a file."""
    return [_route(assets, path, asset) for path, asset in assets.files.items()]


def _route(assets: Assets, path: str, asset: Asset) -> Route:
    async def serve(request: Request) -> Response:
        # While servers are replaced one by one, a page of one version may ask a server of another for its files:
        # it gets what there is, for this once.
        is_current = request.path_params["version"] == assets.version
        return answer(request, asset, _FOREVER if is_current else _ASK_AGAIN)

    return Route(f"{PREFIX}/{{version}}/{path}", serve, methods=["GET"])


def answer(request: Request, asset: Asset, cache_control: str) -> Response:
    """Answer with a file, gzipped if the client takes that, or with 304 if it has it already."""
    gzipped = asset.gzipped if _takes_gzip(request) else None
    etag = f'"{asset.etag}{"-gzip" if gzipped else ""}"'
    headers = {
        "cache-control": cache_control,
        "cross-origin-resource-policy": "same-origin",
        "etag": etag,
        "vary": "accept-encoding",
    }
    if etag in {each.strip() for each in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    if gzipped is not None:
        headers["content-encoding"] = "gzip"
    return Response(gzipped or asset.content, headers=headers, media_type=asset.media_type)


def _takes_gzip(request: Request) -> bool:
    accepted = request.headers.get("accept-encoding", "")
    codings = [part.strip().lower().replace(" ", "") for part in accepted.split(",")]
    return any(coding == "gzip" or (coding.startswith("gzip;q=") and not coding.endswith("=0")) for coding in codings)
