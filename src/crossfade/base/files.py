"""Files that readers see whole or not at all."""

import json
import os
import tempfile
from pathlib import Path


def write_json(path: Path, value: object) -> None:
    """Replace the file by `value` as JSON in one step."""
    write_text(path, json.dumps(value))


def write_text(path: Path, text: str) -> None:
    """Replace the file by `text` in one step; only its owner may read it."""
    # Under a name that nobody can guess, and so have made before: the text may be a key.
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise
