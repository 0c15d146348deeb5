"""Logs, one line an event, with nothing in them that a sender wrote.

Only fields that are listed here pass, only short plain values, and of errors only type and place. Log what happened as
a word, and the rest as fields: `log.warning("partition_reset", topic=topic, partition=3, cause="mark_refused")`. An
error is the field `error`. Libraries that use `logging` come out of the same pipe.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from engine.operate.faults import describe, place

FIELDS: Final = frozenset(
    # Where: coordinates in Kafka and of this process.
    "topic partition partitions offset from_offset to_offset log group member generation owner host port pid process"
    # What and why: words from lists in the code.
    " cause reason kind state stage operation outcome dependency version setting"
    # How much.
    " records batches events sessions signals dead_letters bytes count lost attempt attempts processes exit_status"
    " lag_records lag_ms pause_ms duration_ms timeout_ms timestamp_ms"
    # Cohorts: the name in the file of cohorts.
    " cohort members"
    # Requests: the template of a path, never the path; the id of a token, never the token.
    " method route status action token"
    # An identifier of one visit: only at debug level.
    " session_id".split()
)
"""Every field that our own code may log, beside `error`."""

_MADE_HERE: Final = frozenset("event level timestamp error where trace causes errno reason logger message".split())
_DEBUG_ONLY: Final = frozenset({"session_id"})
_EVENT: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TEXT_MAX: Final = 256
_ITEMS_MAX: Final = 50
WITHHELD: Final = "<withheld>"
"""Stands for a value that may not be shown."""

_TRUSTED: Final = "aiokafka"
"""The library whose messages are shown: they are fixed texts, and their arguments are shown by kind (see a test)."""

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["json", "console"]


def get_logger() -> FilteringBoundLogger:
    """Return a logger; until `configure_logs` was called it has structlog's defaults."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def configure_logs(level: Level, form: Form, *, names: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Set logging up for this process; commands call it once, before anything logs.

    Args:
        level: Least level that is logged.
        form: One JSON object a line, or lines for people.
        names: Names from the settings (topics, hosts, the group) that may be shown where a library speaks of them.
        stream: Where to write; by default standard error.
    """
    out = sys.stderr if stream is None else stream
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tell_errors,
            _keep_allowed,
            _renderer(form, out),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[_Libraries(frozenset(names))], force=True)
    logging.getLogger(_TRUSTED).setLevel(max(least, logging.INFO))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        get_logger().critical("uncaught_error", error=error)


def _renderer(form: Form, stream: TextIO) -> Processor:
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=stream.isatty())
    return structlog.processors.JSONRenderer(serializer=lambda line, **_: msgspec.json.encode(line).decode())


class _Lines:
    """Writes lines. A full disk or a reader that went away must not stop the work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = msg


# -- what passes ------------------------------------------------------------------------------------------------


def _tell_errors(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Put type and place where an error is."""
    told = line.pop("error", None) or line.pop("exc_info", None)
    line.pop("exc_info", None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        fault = msgspec.structs.asdict(describe(error))
        line.update({key: value for key, value in fault.items() if value not in ((), None, "")})
    elif error is not None:
        line["error"] = WITHHELD
    return line


def _keep_allowed(_: WrappedLogger, method: str, line: EventDict) -> EventDict:
    allowed = FIELDS | _MADE_HERE if method == "debug" else (FIELDS | _MADE_HERE) - _DEBUG_ONLY
    kept = {key: _plain(value) for key, value in line.items() if key in allowed}
    if len(kept) < len(line):
        kept["withheld"] = len(line) - len(kept)
    if not _EVENT.fullmatch(str(kept.get("event"))):
        kept["event"] = "unnamed_event"
    return kept


def _plain(value: object) -> bool | float | str | list[bool | float | str]:
    match value:
        case bool() | int() | float():
            return value
        case str() if len(value) <= _TEXT_MAX and value.isprintable():
            return str(value)
        case list() | tuple() | set() | frozenset() if len(value) <= _ITEMS_MAX:
            items = [_plain(item) for item in value]
            return [item if isinstance(item, bool | int | float | str) else WITHHELD for item in items]
        case _:
            return WITHHELD


# -- what libraries say -----------------------------------------------------------------------------------------


class _Libraries(logging.Handler):
    """Sends what libraries log through our pipe: who spoke, from where, and what can be shown of the message."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._names = names

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"logger": record.name, "where": _where(record)}
        if record.name.partition(".")[0] == _TRUSTED:
            fields["message"] = self._message(record)
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = record.exc_info[1]
        # A library may have levels of its own, in between.
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        get_logger().log(level, "library_message", **fields)

    def _message(self, record: logging.LogRecord) -> str:
        if not isinstance(record.msg, str):
            return str(self._shown(record.msg))
        args = record.args or ()
        shown = self._shown(args) if isinstance(args, Mapping) else tuple(self._shown(each) for each in args)
        try:
            return (record.msg % shown)[:_TEXT_MAX]
        except (TypeError, ValueError, KeyError):
            return record.msg[:_TEXT_MAX]

    def _shown(self, value: object) -> object:
        """Show numbers, names that are known, and types; nothing that could come from a record."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return value if value in self._names else WITHHELD
            case type():
                return value.__name__
            case Mapping():
                return {str(self._shown(key)): self._shown(each) for key, each in value.items()}
            case tuple() | list() | set() | frozenset():
                return [self._shown(each) for each in value]
            case _:
                return f"<{type(value).__name__}>"


def _where(record: logging.LogRecord) -> str:
    return place(record.pathname, record.lineno, record.funcName or "")
