"""Logs of the hub: constant words with keys, one line each, on stderr."""

import json
import logging
import traceback
from datetime import UTC, datetime
from enum import StrEnum

_STANDARD = set(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}
_OWN = ("at", "level", "logger", "event", "traceback")
_QUIET = ("httpx", "httpx2", "httpcore", "httpcore2", "alembic", "asyncio", "grpc")


class LogFormat(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `event`, and the keys of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what is no JSON is written as text."""
        keys = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        data = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **{f"{key}_" if key in _OWN else key: value for key, value in keys.items()},
        }
        if record.exc_info:
            data["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(data, default=str, ensure_ascii=False)


class KeyedFormatter(logging.Formatter):
    """`time level word key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; facts given as `extra` follow the message."""
        keys = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        facts = "".join(f" {key}={value!r}" for key, value in sorted(keys.items()))
        return super().format(record) + facts


def configure(level: int, form: LogFormat = LogFormat.TEXT) -> None:
    """Log to stderr at `level`; libraries only warn."""
    handler = logging.StreamHandler()
    keyed = KeyedFormatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if form is LogFormat.JSON else keyed)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
