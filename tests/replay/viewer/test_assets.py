"""Files of the front end: which there are, how they are served, and that those of others are what they claim to be."""

import hashlib
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from replay.server import ServeOptions
from replay.server.guard import Guard
from replay.viewer.pages import PAGES
from replay.viewer.static import ASSETS_FOLDER, asset_routes, load_assets
from tests.replay.server.asking import Answer, ask

VENDOR = ASSETS_FOLDER / "vendor"
BUILD = ASSETS_FOLDER.parent / "build"
IMPORT = re.compile(r'(?:from|import)\s+"(\.[^"]+)"')
LOADED = re.compile(r'url\("(\.[^"]+)"\)')


@pytest.fixture
def app() -> ASGIApp:
    return Guard(Starlette(routes=asset_routes(load_assets())), ServeOptions(login="none"))


async def get(app: ASGIApp, path: str, **headers: str) -> Answer:
    return await ask(app, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("folder", sorted(path.name for path in VENDOR.iterdir()))
def test_files_of_others_are_those_that_were_built(folder: str) -> None:
    lines = (VENDOR / folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {path.name for path in (VENDOR / folder).iterdir()} - {"SHA256SUMS"}
    assert found == set(sums)
    assert "LICENSE" in found
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / folder / name).read_bytes()).hexdigest() == digest, name


def test_the_build_names_no_registry_and_its_readme_the_versions() -> None:
    lock = (BUILD / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    readme = (BUILD / "README.md").read_text()
    wanted = re.findall(r'"(rrweb|@fontsource-variable/inter)": "([0-9.]+)"', (BUILD / "package.json").read_text())
    assert len(wanted) == 2
    for package, version in wanted:
        assert f"`{package}`" in readme
        assert f"| {version} |" in readme


def test_everything_that_is_imported_or_loaded_is_there() -> None:
    files = load_assets().files
    for path, asset in files.items():
        if path.startswith("vendor/") or not path.endswith((".js", ".css")):
            continue
        pattern = IMPORT if path.endswith(".js") else LOADED
        for address in pattern.findall(asset.content.decode()):
            target = (Path("/") / path).parent / address
            assert str(target.resolve().relative_to("/")) in files, f"{path} wants {address}"


def test_no_file_of_ours_makes_markup_of_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(.on"
    )
    for path, asset in load_assets().files.items():
        if path.endswith(".js") and not path.startswith("vendor/"):
            assert not forbidden.search(asset.content.decode()), path


def test_every_page_has_its_script() -> None:
    assert {f"{page.folder}/{page.folder}.js" for page in PAGES.values()} <= set(load_assets().files)


async def test_a_file_is_kept_forever_under_the_address_of_its_version(app: ASGIApp) -> None:
    assets = load_assets()
    answer = await get(app, assets.address("common/ui.js"))
    assert (answer.status, answer.body) == (200, (ASSETS_FOLDER / "common/ui.js").read_bytes())
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    tag = answer.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    again = await get(app, assets.address("common/ui.js"), if_none_match=f'"other", {tag}')
    assert (again.status, again.body) == (304, b"")


async def test_another_version_gets_what_there_is_and_keeps_it_not(app: ASGIApp) -> None:
    answer = await get(app, "/assets/0000000000000000/common/ui.js")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("GZIP", True), ("", False), ("br", False), ("gzip;q=0", False)],
)
async def test_it_is_gzipped_for_who_takes_that(app: ASGIApp, accepted: str, *, packed: bool) -> None:
    path = load_assets().address("vendor/rrweb/replayer.js")
    answer = await get(app, path, accept_encoding=accepted)
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert (b"rrweb" in answer.body) is not packed
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["etag"].endswith('-gzip"') is packed


@pytest.mark.parametrize(
    "path",
    ["vendor/rrweb/LICENSE", "vendor/rrweb/SHA256SUMS", "../pages.py", "..%2fpages.py", "common/", "", "common/no.js"],
)
async def test_nothing_else_is_served(app: ASGIApp, path: str) -> None:
    assert (await get(app, f"/assets/{load_assets().version}/{path}")).status == 404


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    first = load_assets.__wrapped__(tmp_path).version
    assert load_assets.__wrapped__(tmp_path).version == first
    (tmp_path / "a.js").write_text("2")
    second = load_assets.__wrapped__(tmp_path).version
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert len({first, second, load_assets.__wrapped__(tmp_path).version}) == 3
