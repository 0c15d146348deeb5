"""The pages: a few lines of HTML each, which name their files; what they show comes from the API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from replay.errors import Poison
from replay.server.access import Access
from replay.server.services import Services
from replay.viewer.csp import FRAME_PATH, frame_policy, origin_of, page_policy
from replay.viewer.static import Assets, asset_routes, load_assets

_LOCAL: Final = "local"
_ICON: Final = "common/icon.svg"
_FONT: Final = "vendor/inter/inter.woff2"
_MAX_NAME_CHARS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its folder of assets, the title until its script knows better, and whether strangers may open it."""

    folder: str
    title: str
    is_open: bool = False


PAGES: Final[Mapping[str, Page]] = {
    "/": Page("list", "Sessions"),
    "/overview": Page("overview", "Overview"),
    "/login": Page("login", "Sign in", is_open=True),
    "/s/{session_id}": Page("viewer", "Session"),
    "/p/{share_token}": Page("viewer", "Shared session", is_open=True),
}
"""All pages by their paths. Parts of a path become `data-` attributes of the body."""


def routes(services: Services) -> list[Route]:
    """List the routes of pages, of the document that replays, and of every file they are made of."""
    assets = load_assets()
    pages = [Route(path, _serve(assets, page), methods=["GET"]) for path, page in PAGES.items()]
    return [*pages, Route(FRAME_PATH, _serve_frame(assets, services), methods=["GET"]), *asset_routes(assets)]


def _serve(assets: Assets, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        access: Access | None = getattr(request.state, "access", None)
        if access is None and not page.is_open:
            return RedirectResponse(f"/login?next={quote(_asked_for(request), safe='')}", 303)
        return _html_response(*_page(assets, page, origin_of(request), _data(request, access)))

    return serve


def _asked_for(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _data(request: Request, access: Access | None) -> dict[str, str]:
    """Gather what the page's script needs to know: parts of the path, and what the visitor may do."""
    data = {name.replace("_", "-"): _text(value) for name, value in request.path_params.items()}
    data["login"] = "none" if access is not None and access.who == _LOCAL else "required"
    data["scopes"] = " ".join(sorted(access.scopes)) if access is not None else ""
    if access is not None and access.is_share:
        bounds = {"expires-at": access.expires_at, "from": access.from_t, "to": access.to_t}
        data |= {name: str(value) for name, value in bounds.items()}
    return data


def _text(raw: str) -> str:
    try:
        text = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Poison("an id in a path is percent-encoded UTF-8") from None
    if len(text) > _MAX_NAME_CHARS:
        raise Poison(f"an id has at most {_MAX_NAME_CHARS} characters")
    return text


def _page(assets: Assets, page: Page, origin: str, data: Mapping[str, str]) -> tuple[str, str]:
    """Write a page and its policy."""
    styles = ["common/tokens.css", "common/base.css", *assets.of_folders(page.folder, suffix=".css")]
    scripts = assets.of_folders("common", page.folder, suffix=".js")
    modules = [path for path in scripts if path != "common/theme.js"]
    address = assets.address
    head = [
        f'<link rel="icon" type="image/svg+xml" href="{address(_ICON)}">',
        f'<script src="{address("common/theme.js")}"></script>',
        f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{address(_FONT)}">',
        *(f'<link rel="stylesheet" href="{address(path)}">' for path in styles),
        *(f'<link rel="modulepreload" href="{address(path)}">' for path in modules),
        f'<script type="module" src="{address(f"{page.folder}/{page.folder}.js")}"></script>',
    ]
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    body = f'<body data-page="{page.folder}"{attributes}><noscript>Wince needs JavaScript.</noscript></body>'
    images, fonts = [address(_ICON)], [address(_FONT)]
    policy = page_policy(origin, map(address, scripts), map(address, styles), images, fonts)
    return _document(page.title, head, body), policy


def _serve_frame(assets: Assets, services: Services) -> Callable[[Request], Awaitable[Response]]:
    """Serve the document that replays. It holds nothing of any session, so it asks for no access.

    Of a `project` it may load from where the operator lets that project's replays load from.
    """

    async def serve(request: Request) -> Response:
        scripts = [assets.address(path) for path in assets.of_folders("vendor/rrweb", "frame", suffix=".js")]
        styles = [assets.address(path) for path in assets.of_folders("vendor/rrweb", "frame", suffix=".css")]
        head = [
            *(f'<link rel="stylesheet" href="{path}">' for path in styles),
            f'<script type="module" src="{assets.address("frame/frame.js")}"></script>',
        ]
        hosts = services.replay_sources(request.query_params.get("project", ""))
        body = f'<body data-hosts="{escape(" ".join(hosts))}"><div id="stage"></div></body>'
        response = _html_response(
            _document("Replay", head, body), frame_policy(origin_of(request), scripts, styles, hosts)
        )
        response.headers["x-frame-options"] = "SAMEORIGIN"
        response.headers["x-dns-prefetch-control"] = "off"
        return response

    return serve


def _document(title: str, head: Sequence[str], body: str) -> str:
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex, nofollow">',
        f"<title>{escape(title)} · Wince</title>",
        *head,
        body,
        "</html>",
    ]
    return "\n".join(lines)


def _html_response(html: str, policy: str) -> Response:
    return Response(html, media_type="text/html", headers={"content-security-policy": policy})
