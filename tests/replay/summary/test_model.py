"""A language model of one's own: found by its entry point, fed with the summary, held to limits, never believed."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import msgspec
import pytest

from replay.summary import Summary, summarize
from replay.summary.model import MAX_AT_ONCE, ModelError, Rephrase, Rephraser, load_model
from tests.replay.summary.evidence import record, signal, visit

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "wince-local-model" / "wince_local_model" / "__init__.py"

SUMMARY = summarize(record([visit(0)]), None, [signal("rage_click", 1_000, 5_000, count=7)])


def model(function: Rephrase, *, timeout_ms: int = 60_000) -> Rephraser:
    return Rephraser("local", function, timeout_ms=timeout_ms, max_chars=200)


async def test_a_text_of_a_model_is_marked_as_its_own() -> None:
    told = await model(lambda _: "They hit\x07 Apply 7 times\nin 4 s.\u202e").rephrase(SUMMARY)
    assert (told.text, told.by, told.refused) == ("They hit\\x07 Apply 7 times in 4 s.\\u202e", "local", "")


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("They hit Apply 8 times.", "new_numbers"),
        ("x" * 201, "too_long"),
        (" ", "failed"),
        (7, "failed"),
        (None, "failed"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_the_own_words_are_given(answer: Any, refused: str) -> None:
    told = await model(lambda _: answer).rephrase(SUMMARY)
    assert (told.text, told.by, told.refused) == (SUMMARY.text(), "", refused)


async def test_whatever_a_model_raises_it_harms_nobody() -> None:
    def fail(_: Summary) -> str:
        raise RuntimeError("secret of the model")

    told = await model(fail).rephrase(SUMMARY)
    assert (told.refused, told.text) == ("failed", SUMMARY.text())


async def test_a_model_that_hangs_is_not_waited_for_and_keeps_its_place() -> None:
    release = threading.Event()

    def hang(_: Summary) -> str:
        release.wait()
        return "late"

    slow = model(hang, timeout_ms=1)
    try:
        for _ in range(MAX_AT_ONCE):
            assert (await slow.rephrase(SUMMARY)).refused == "too_slow"
        assert (await slow.rephrase(SUMMARY)).refused == "busy"
    finally:
        release.set()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a distribution of one module with one entry point, as an installer would leave it on disk."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(module: str, code: str) -> None:
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        info = tmp_path / f"{module}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[wince.summaries]\nlocal = {module}:make\n", encoding="utf-8")

    yield install
    for name in set(sys.modules) - before:
        if name.startswith("wince_"):
            del sys.modules[name]


def test_a_model_is_found_by_its_name_and_made_with_its_options(install: Callable[[str, str], None]) -> None:
    install("wince_shouting", "def make(options):\n    return lambda summary: options['word']\n")
    assert load_model("local", {"word": "Ouch."})(SUMMARY) == "Ouch."


def test_a_model_that_cannot_be_used_says_why(install: Callable[[str, str], None]) -> None:
    with pytest.raises(ModelError, match="no installed package provides it"):
        load_model("local", {})
    install("wince_broken", "def make(options):\n    raise RuntimeError('out of order')\n")
    with pytest.raises(ModelError, match="RuntimeError: out of order"):
        load_model("local", {})


class Chat(BaseHTTPRequestHandler):
    """A server that speaks the interface the example asks for, and says which text it was given."""

    def do_POST(self) -> None:
        asked = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        given = asked["messages"][1]["content"]
        body = msgspec.json.encode({"choices": [{"message": {"role": "assistant", "content": f" {given[:60]} "}}]})
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/chat/completions"
        server.shutdown()
        thread.join()


async def test_the_example_retells_by_a_server_of_ones_own(chat: str) -> None:
    spec = spec_from_file_location("wince_local_model", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = module_from_spec(spec)
    spec.loader.exec_module(example)
    told = await model(example.make({"url": chat, "model": "any"})).rephrase(SUMMARY)
    assert (told.text, told.by) == (SUMMARY.headline[:60].strip(), "local")
    for wrong in ({"temperature": "1"}, {"url": "file:///etc/passwd"}):
        with pytest.raises(ValueError, match=r"option|address"):
            example.make(wrong)
