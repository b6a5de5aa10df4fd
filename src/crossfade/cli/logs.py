"""Logs of the hub: constant words with keys, one line each, on stderr."""

import logging

_STANDARD = set(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime"}
_QUIET = ("httpx", "httpx2", "httpcore", "httpcore2", "alembic", "asyncio", "grpc")


class KeyedFormatter(logging.Formatter):
    """`time level word key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; facts given as `extra` follow the message."""
        keys = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        facts = "".join(f" {key}={value!r}" for key, value in sorted(keys.items()))
        return super().format(record) + facts


def configure(level: int) -> None:
    """Log to stderr at `level`; libraries only warn."""
    handler = logging.StreamHandler()
    handler.setFormatter(KeyedFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
