"""Logs tell what happened and where, and never what a sender wrote."""

import ast
import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import aiokafka
import msgspec
import pytest
import redis.exceptions
import structlog
from aiokafka import TopicPartition

from engine.core.core import Core
from engine.errors import Broken, Poison, Saturated, Unavailable, WinceError
from engine.operate import logs
from engine.operate.logs import FIELDS, WITHHELD, configure_logs, get_logger
from engine.reasons import Reason
from engine.settings import Settings

ROOT = Path(__file__).parents[3]
SECRET = "hunter2-4929123456781234"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level, trusted = root.handlers[:], root.level, logging.getLogger("aiokafka").level
    # What is already there would be closed.
    root.handlers = []
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.getLogger("aiokafka").setLevel(trusted)


class Pipe(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def pipe() -> Pipe:
    stream = Pipe()
    configure_logs("info", "json", names=["session-events", "kafka-1"], stream=stream)
    return stream


class TestOurOwn:
    def test_a_line_is_one_object(self, pipe: Pipe) -> None:
        get_logger().info(
            "partition_reset", topic="session-events", partition=3, cause="mark_refused", partitions=[1, 2]
        )
        (line,) = pipe.lines()
        assert line.pop("timestamp").endswith("Z")
        assert line == {
            "event": "partition_reset", "level": "info", "topic": "session-events", "partition": 3,
            "cause": "mark_refused", "partitions": [1, 2],
        }  # fmt: skip

    def test_less_than_the_level_is_not_logged(self, pipe: Pipe) -> None:
        get_logger().debug("poll_done")
        assert pipe.getvalue() == ""

    def test_other_fields_are_left_out_and_counted(self, pipe: Pipe) -> None:
        get_logger().info("poll_done", body=SECRET, url=SECRET, records=2)
        (line,) = pipe.lines()
        assert line["withheld"] == 2
        assert line["records"] == 2

    @pytest.mark.parametrize("value", [SECRET.encode(), {"a": SECRET}, object(), SECRET * 20, "a\x1b[31mb", [[SECRET]]])
    def test_only_short_plain_values_pass(self, pipe: Pipe, value: object) -> None:
        get_logger().info("poll_done", cause=value)
        assert pipe.lines()[0]["cause"] in (WITHHELD, [WITHHELD])

    def test_what_happened_is_a_word(self, pipe: Pipe) -> None:
        get_logger().info(f"could not read {SECRET}")
        get_logger().info("could not read %s", SECRET)
        assert [line["event"] for line in pipe.lines()] == ["unnamed_event"] * 2

    def test_sessions_are_named_only_when_debugging(self, pipe: Pipe) -> None:
        get_logger().warning("write_refused", session_id="visit-1")
        configure_logs("debug", "json", stream=pipe)
        get_logger().debug("write_refused", session_id="visit-2")
        get_logger().info("write_refused", session_id="visit-3")
        assert [line.get("session_id") for line in pipe.lines()] == [None, "visit-2", None]

    def test_reasons_are_their_words(self, pipe: Pipe) -> None:
        get_logger().info("dead_letter", reason=Reason.NOT_JSON)
        assert pipe.lines()[0]["reason"] == "not_json"

    def test_for_people_it_is_a_line_without_colours_in_a_file(self) -> None:
        stream = io.StringIO()
        configure_logs("info", "console", stream=stream)
        get_logger().info("partition_reset", partition=3)
        assert "partition_reset" in stream.getvalue()
        assert "partition=3" in stream.getvalue()
        assert "\x1b" not in stream.getvalue()

    def test_a_full_disk_stops_nothing(self) -> None:
        with Path("/dev/full").open("w", buffering=1) as full:
            configure_logs("info", "json", stream=full)
            get_logger().info("poll_done", count=1)
            with pytest.raises(OSError, match="No space"):
                full.close()

    def test_a_stream_that_was_closed_stops_nothing(self) -> None:
        stream = io.StringIO()
        configure_logs("info", "json", stream=stream)
        stream.close()
        get_logger().info("poll_done", count=1)


def raised(error: BaseException) -> BaseException:
    def fail() -> None:
        try:
            json.loads('{"' + SECRET)
        except ValueError as cause:
            raise error from cause

    with pytest.raises(type(error)) as caught:
        fail()
    return caught.value


FOUR_KINDS: list[WinceError] = [
    Saturated(f"redis said OOM for {SECRET}"),
    Unavailable(f"cannot reach {SECRET}"),
    Broken(f"impossible: {SECRET}"),
    Poison(Reason.NOT_JSON),
]


def parser_errors() -> Iterator[BaseException]:
    hostile: list[Callable[[], object]] = [
        lambda: msgspec.json.decode(f'{{"seq":"{SECRET}"}}', type=dict[str, int]),
        lambda: msgspec.convert({"level": SECRET}, dict[str, Literal["a"]]),
        (SECRET.encode() + b"\xff").decode,
        lambda: int(SECRET),
        lambda: os.environ[SECRET],
        lambda: Path(SECRET).read_text(),
    ]
    for attempt in hostile:
        try:
            attempt()
        except Exception as error:  # noqa: BLE001  # whatever a parser raises
            yield error
    yield redis.exceptions.ResponseError(f"unknown command, with args beginning with: '{SECRET}'")
    yield ExceptionGroup(SECRET, [ValueError(SECRET), Unavailable(SECRET)])


LIBRARIES = ("aiokafka.client", "asyncio", "redis", "uvicorn.error", "opentelemetry.sdk", "anything")


def fail_loudly(error: BaseException) -> None:
    """Raise it, and say it on the way in every manner there is."""
    try:
        raise error  # noqa: TRY301
    except BaseException:
        get_logger().exception("worker_failed")
        for name in LIBRARIES:
            logging.getLogger(name).exception("it failed: %s %r", error, str(error))
            logging.getLogger(name).warning("it failed: %(why)s", {"why": str(error)})
            logging.getLogger(name).warning(error)
            if not name.startswith("aiokafka"):
                logging.getLogger(name).warning(f"it failed: {error}")  # noqa: G004
        raise


class TestNothingPrivate:
    @pytest.mark.parametrize("form", ["json", "console"])
    @pytest.mark.parametrize("error", [*FOUR_KINDS, *parser_errors()], ids=lambda error: type(error).__name__)
    def test_an_error_never_shows_its_text(self, error: BaseException, form: Literal["json", "console"]) -> None:
        stream = Pipe()
        configure_logs("debug", form, stream=stream)
        caught = raised(error)
        get_logger().error("worker_failed", error=caught)
        get_logger().error("worker_failed", exc_info=caught)
        get_logger().error("worker_failed", error=str(caught), cause=caught)
        get_logger().error(str(caught))
        with pytest.raises(type(caught)):
            fail_loudly(caught)
        sys.excepthook(type(caught), caught, caught.__traceback__)
        assert SECRET not in stream.getvalue()
        assert stream.getvalue().count("JSONDecodeError") >= 4
        assert stream.getvalue().count(type(error).__qualname__) >= 4

    def test_a_secret_in_a_message_that_is_refused(self, pipe: Pipe) -> None:
        core = Core(Settings())
        for body in (SECRET.encode(), f'{{"v":1,"session_id":"{SECRET}"}}'.encode(), b'"' + SECRET.encode() + b"\xff"):
            assert core.open(body, None, "session-events", 1) is None
        for letter in core.take_dead_letters():
            get_logger().warning("dead_letter", reason=letter.reason, offset=letter.position, bytes=letter.size_bytes)
        assert len(pipe.lines()) == 3
        assert SECRET not in pipe.getvalue()

    async def test_a_task_that_nobody_waits_for(self, pipe: Pipe) -> None:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": SECRET, "exception": raised(Broken(SECRET))})
        (line,) = pipe.lines()
        assert line["error"] == "engine.errors.Broken"
        assert SECRET not in pipe.getvalue()

    def test_a_warning(self, pipe: Pipe) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            warnings.warn(SECRET, UserWarning, stacklevel=1)
        assert pipe.lines()[0]["logger"] == "py.warnings"
        assert SECRET not in pipe.getvalue()

    def test_a_program_that_ends_with_an_error(self) -> None:
        """A traceback on standard error is a log, too."""
        program = (
            "from engine.operate.logs import configure_logs\nfrom engine.errors import Broken\n"
            f"configure_logs('info', 'json')\nraise Broken('{SECRET}')\n"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert SECRET not in done.stderr
        assert json.loads(done.stderr)["error"] == "engine.errors.Broken"


class TestErrors:
    def test_type_place_and_causes_are_told(self, pipe: Pipe) -> None:
        get_logger().error("worker_failed", error=raised(Unavailable("x")))
        (line,) = pipe.lines()
        assert line["error"] == "engine.errors.Unavailable"
        assert line["where"].startswith("tests/engine/operate/test_logs.py:")
        assert line["where"].endswith(" raised.<locals>.fail")
        assert line["trace"][-1] == line["where"]
        assert line["causes"][0].startswith("json.decoder.JSONDecodeError at json/decoder.py:")

    def test_what_the_system_says_and_why_a_message_is_poison_are_told(self, pipe: Pipe) -> None:
        get_logger().error("worker_failed", error=ConnectionRefusedError(111, SECRET))
        get_logger().error("worker_failed", error=Poison(Reason.TOO_DEEP))
        assert [line.get("errno") for line in pipe.lines()] == [111, None]
        assert [line.get("reason") for line in pipe.lines()] == [None, "too_deep"]

    def test_long_chains_and_deep_stacks_are_cut(self, pipe: Pipe) -> None:
        def fail(depth: int) -> None:
            if depth:
                fail(depth - 1)
            error = ValueError()
            for _ in range(60):
                cause, error = error, ValueError()
                error.__cause__ = cause
            raise error

        with pytest.raises(ValueError, match=r"^$") as caught:
            fail(60)
        get_logger().error("worker_failed", error=caught.value)
        assert len(pipe.lines()[0]["trace"]) == 15
        assert len(pipe.lines()[0]["causes"]) == 8

    def test_errors_that_cause_each_other_are_told_once(self, pipe: Pipe) -> None:
        first, second = ValueError(), KeyError()
        first.__cause__, second.__cause__ = second, first
        get_logger().error("worker_failed", error=first)
        assert pipe.lines()[0]["causes"] == ["KeyError at an unknown place"]

    def test_ctrl_c_is_no_failure(self, pipe: Pipe, capsys: pytest.CaptureFixture[str]) -> None:
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
        assert pipe.getvalue() == ""
        assert "KeyboardInterrupt" in capsys.readouterr().err


class TestLibraries:
    def test_the_client_of_kafka_is_shown_with_what_is_known(self, pipe: Pipe) -> None:
        log = logging.getLogger("aiokafka.consumer")
        log.warning("Node %s of %s at %s: %s", 3, {TopicPartition("session-events", 2)}, "kafka-1", TimeoutError("x"))
        (line,) = pipe.lines()
        assert line["message"] == "Node 3 of [['session-events', 2]] at kafka-1: <TimeoutError>"
        assert (line["event"], line["level"], line["logger"]) == ("library_message", "warning", "aiokafka.consumer")
        assert line["where"].startswith("tests/engine/operate/test_logs.py:")

    def test_names_that_are_not_known_are_withheld(self, pipe: Pipe) -> None:
        logging.getLogger("aiokafka").error("Member %s, %s", SECRET, {SECRET: SECRET})
        assert pipe.lines()[0]["message"] == f"Member {WITHHELD}, {{'{WITHHELD}': '{WITHHELD}'}}"

    def test_a_message_that_does_not_fit_its_arguments_is_shown_as_it_is(self, pipe: Pipe) -> None:
        (ours,) = (handler for handler in logging.getLogger().handlers if type(handler).__module__ == logs.__name__)
        record = {"name": "aiokafka", "msg": "Took %d of %d", "args": (SECRET,), "levelno": logging.ERROR}
        ours.handle(logging.makeLogRecord(record))
        assert pipe.lines()[0]["message"] == "Took %d of %d"

    def test_of_others_only_the_place_is_shown(self, pipe: Pipe) -> None:
        logging.getLogger("redis.asyncio").error(f"bad {SECRET}")  # noqa: G004
        logging.getLogger("redis.asyncio").info("fine")
        (line,) = pipe.lines()
        assert "message" not in line
        assert line["logger"] == "redis.asyncio"

    def test_levels_in_between_are_taken_down(self, pipe: Pipe) -> None:
        logging.getLogger("mode").log(35, "careful")
        assert pipe.lines()[0]["level"] == "warning"


METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
CHOSEN = "log"
"""A name for the method of a logger that was chosen before."""


def log_calls(path: Path, loggers: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        of, _, method = ast.unparse(node.func).rpartition(".")
        if (of in loggers and method in METHODS) or ast.unparse(node.func) == CHOSEN:
            yield node


def test_the_messages_of_the_client_are_fixed_texts() -> None:
    """What is trusted about it: no message, from info up, is put together before it is logged."""
    calls = [
        (path.name, call)
        for path in Path(aiokafka.__file__).parent.rglob("*.py")
        for call in log_calls(path, {"log", "logger", "self._log"})
        if isinstance(call.func, ast.Attribute) and call.func.attr != "debug"
    ]
    assert len(calls) > 80
    for name, call in calls:
        assert isinstance(call.args[0], ast.Constant), (name, ast.unparse(call))


def test_every_line_of_ours_is_a_word_and_fields_that_may_be_shown() -> None:
    loggers = {"log", "_log", "self._log", "LOG", "_LOG", "logger", "get_logger()"}
    for path in [path for folder in ("engine", "replay") for path in (ROOT / folder).rglob("*.py")]:
        for call in log_calls(path, loggers):
            place = f"{path.relative_to(ROOT)}:{call.lineno}"
            (event,) = call.args
            assert isinstance(event, ast.Constant), place
            assert re.fullmatch(r"[a-z]+(_[a-z]+)+", str(event.value)), place
            fields = {keyword.arg for keyword in call.keywords}
            assert fields <= {*FIELDS, "error"}, place
            assert "session_id" not in fields or ast.unparse(call.func).endswith(".debug"), place
