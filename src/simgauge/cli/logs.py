"""Logs of long runs: what is done goes to Python's logging, and from there to stderr, line by line."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from simgauge.cli.signs import printable

LOGGER = logging.getLogger("simgauge")
FORMATS = ("text", "json")
FIELDS = ("command", "version", "done", "steps", "seconds", "exit_code")
"""What a record may hold beside its message."""
LOGS: ContextVar[bool] = ContextVar("logs", default=False)
"""Whether this run logs what it does, instead of showing a bar."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and what else it holds of `FIELDS`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: getattr(record, name) for name in FIELDS if hasattr(record, name)},
        }
        return json.dumps(told)


class TextLines(logging.Formatter):
    """A record as one line for people: time, level, message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; characters that could steer a terminal, ends of lines among them, by their numbers."""
        message = printable(record.getMessage()).replace("\n", "\\n")
        steps = f" ({record.done} of {record.steps})" if getattr(record, "steps", 0) else ""  # type: ignore[attr-defined]
        return f"{_time(record)} {record.levelname:<7} {message}{steps}"


def log_to_stderr(form: str | None) -> None:
    """From here on every record of this package's logger goes to stderr in this form; None for no logs."""
    from simgauge.parameters import check_choice

    for handler in [handler for handler in LOGGER.handlers if isinstance(handler.formatter, JsonLines | TextLines)]:
        LOGGER.removeHandler(handler)
    LOGS.set(False)
    if form is None:
        return
    check_choice(form, "log_format", FORMATS)
    LOGS.set(True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
