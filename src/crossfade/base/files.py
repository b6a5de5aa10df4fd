"""Files that readers see whole or not at all."""

import json
import os
from pathlib import Path


def write_json(path: Path, value: object, mode: int = 0o600) -> None:
    """Replace the file by `value` as JSON in one step."""
    write_text(path, json.dumps(value), mode)


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace the file by `text` in one step."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.rename(path)
