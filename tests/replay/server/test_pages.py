"""Pages and their policies: no `'self'`, nothing inline, every file by name; what strangers get."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from starlette.types import ASGIApp

from replay.server import ServeOptions, Services, create_app
from replay.viewer.csp import frame_policy, is_allowed_host, page_policy
from replay.viewer.static import load_assets
from tests.replay.server.asking import Answer, ask

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORIGIN = "http://127.0.0.1:8000"
EVERY_PAGE = ["/", "/overview", "/login", "/s/a", "/p/no-such-token"]


def policy_of(answer: Answer) -> Mapping[str, list[str]]:
    directives = [part.split() for part in answer.headers["content-security-policy"].split("; ")]
    return {words[0]: words[1:] for words in directives}


@pytest.fixture
def guarded(stocked: Services) -> ASGIApp:
    """The application with a login."""
    return create_app(stocked, ServeOptions(login="token"))


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_a_page_names_all_it_uses_and_allows_no_more(app: ASGIApp, path: str) -> None:
    answer = await ask(app, path)
    html, policy = answer.body.decode(), policy_of(answer)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (policy["default-src"], policy["frame-ancestors"]) == (["'none'"], ["'none'"])
    assert (policy["trusted-types"], policy["require-trusted-types-for"]) == (["'none'"], ["'script'"])
    assert not {"'self'", "'unsafe-inline'", "'unsafe-eval'", "*"} & {
        word for words in policy.values() for word in words
    }
    used = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert used
    allowed = {word for name in ("script-src", "style-src", "img-src", "font-src") for word in policy[name]}
    assert {f"{ORIGIN}{address}" for address in used} <= allowed
    assert "<style" not in html
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))
    assert answer.headers["cache-control"] == "no-store"


async def test_every_file_a_page_names_is_there(app: ASGIApp) -> None:
    for path in EVERY_PAGE:
        html = (await ask(app, path)).body.decode()
        for address in set(re.findall(r'(?:src|href)="([^"]+)"', html)):
            assert (await ask(app, address)).status == 200, address


async def test_the_document_that_replays_may_do_nothing(app: ASGIApp) -> None:
    answer = await ask(app, "/replay?project=shop")
    policy = policy_of(answer)
    files = load_assets()
    scripts = {
        f"{ORIGIN}{files.address(name)}" for name in ("vendor/rrweb/replayer.js", "frame/frame.js", "frame/clean.js")
    }
    assert set(policy["script-src"]) == scripts
    for name in ("default-src", "connect-src", "frame-src", "object-src", "worker-src", "base-uri", "form-action"):
        assert policy[name] == ["'none'"], name
    for name in ("img-src", "font-src", "media-src"):
        assert policy[name] == ["data:", "blob:"], name
    assert policy["sandbox"] == ["allow-scripts", "allow-same-origin"]
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "'self'" not in str({name: words for name, words in policy.items() if name != "frame-ancestors"})


async def test_replays_load_from_where_their_project_may(stocked: Services) -> None:
    sources = {"shop": ["https://cdn.shop.example", "https://*.pictures.example"]}
    services = replace(stocked, replay_sources=lambda project: sources.get(project, []))
    app = create_app(services, ServeOptions(login="none"))
    own, other = [policy_of(await ask(app, f"/replay?project={name}")) for name in ("shop", "other")]
    assert own["img-src"] == ["data:", "blob:", *sources["shop"]]
    assert set(sources["shop"]) <= set(own["style-src"])
    assert own["script-src"] == other["script-src"]
    assert own["connect-src"] == ["'none'"]
    assert other["img-src"] == ["data:", "blob:"]


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("https://cdn.example", True), ("http://cdn.example:8080", True), ("https://*.example", True),
        ("https://cdn.example/", False), ("https://cdn.example; script-src *", False), ("*", False), ("data:", False),
        ("javascript:", False), ("https:", False), ("https://", False), ("//cdn.example", False), ("'self'", False),
        ("https://cdn.example https://x", False), ("https://cdn.example\n", False),
    ],
)  # fmt: skip
async def test_only_origins_are_places_to_load_from(host: str, *, allowed: bool) -> None:
    assert is_allowed_host(host) is allowed
    if not allowed:
        with pytest.raises(ValueError, match="load from hosts"):
            frame_policy(ORIGIN, [], [], [host])


async def test_a_policy_without_files_allows_none() -> None:
    assert "script-src 'none'" in page_policy(ORIGIN, [], [])


@pytest.mark.parametrize(("path", "to"), [("/", "%2F"), ("/s/a?t=5", "%2Fs%2Fa%3Ft%3D5"), ("/overview", "%2Foverview")])
async def test_strangers_are_sent_to_the_login_and_back(guarded: ASGIApp, path: str, to: str) -> None:
    answer = await ask(guarded, path)
    assert (answer.status, answer.headers["location"]) == (303, f"/login?next={to}")


@pytest.mark.parametrize("path", ["/login", "/p/no-such-token", "/replay"])
async def test_some_pages_are_open(guarded: ASGIApp, path: str) -> None:
    assert (await ask(guarded, path)).status == 200


async def test_ids_in_paths_are_text_in_pages(app: ASGIApp) -> None:
    answer = await ask(app, "/s/%22%3E%3Cscript%3Ehurt()%3C%2Fscript%3E")
    assert b"<script>hurt" not in answer.body
    assert b'data-session-id="&quot;&gt;&lt;script&gt;' in answer.body
    assert (await ask(app, "/s/%ff")).status == 400
    assert (await ask(app, "/s/" + "a" * 1_025)).status == 400


async def test_what_a_visitor_may_do_is_told_to_the_page(app: ASGIApp, guarded: ASGIApp) -> None:
    html = (await ask(app, "/s/a")).body.decode()
    assert 'data-login="none"' in html
    assert 'data-scopes="admin delete read share"' in html
    stranger = (await ask(guarded, "/login")).body.decode()
    assert 'data-login="required"' in stranger
    assert 'data-scopes=""' in stranger


@pytest.mark.parametrize("host", ["evil.test;script-src *", "a b", "a,b", "x'y"])
async def test_a_host_that_is_none_gets_into_no_policy(stocked: Services, host: str) -> None:
    app = create_app(stocked, ServeOptions(login="none", allowed_hosts=frozenset({"*"})))
    answer = await ask(app, "/", headers={"host": host})
    assert answer.status in {400, 421}
