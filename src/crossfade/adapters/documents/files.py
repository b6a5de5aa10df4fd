"""Text files of users, read with clear words when they are none."""

import sys
from pathlib import Path

from crossfade.adapters.documents.problems import did_you_mean
from crossfade.base.errors import Denied, InputError, NotFound

LARGEST_BYTES = 512 * 1024


def given_name(path: Path) -> str:
    """Return what messages call the file that somebody named on the command line."""
    return "standard input" if str(path) == "-" else str(path)


def read_given(path: Path, largest: int = LARGEST_BYTES) -> str:
    """Return the text of the file, of standard input for `-`.  Raises as `read_text` does."""
    if str(path) != "-":
        return read_text(path, largest)
    return decode(sys.stdin.buffer.read(largest + 1), given_name(path), largest)


def read_text(path: Path, largest: int = LARGEST_BYTES) -> str:
    """Return the text of the file.  Raises NotFound, Denied, InputError."""
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}", hint=_near(path)) from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path} is a folder", hint=f"name a file in it, as {path}/crossfade.yaml"
        ) from error
    except PermissionError as error:
        raise Denied(f"{path} may not be read", hint="make it readable for you") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", hint="check the name") from error
    return decode(data, str(path), largest)


def decode(data: bytes, file: str, largest: int = LARGEST_BYTES) -> str:
    """Return the bytes of `file` as text.  Raises InputError when they are no UTF-8, or huge."""
    if len(data) > largest:
        raise InputError(
            f"{file} is larger than {largest // 1024} KiB",
            hint="is this the right file? Large values belong into the chart",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{file} is UTF-16", hint="save it as UTF-8")
    if b"\0" in data:
        raise InputError(f"{file} is no text file", hint="is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        byte = data[error.start]
        raise InputError(
            f"{file}:{line}:{column}: is not UTF-8 (byte 0x{byte:02x})", hint="save it as UTF-8"
        ) from error


def _near(path: Path) -> str:
    try:
        names = [entry.name for entry in path.absolute().parent.iterdir()][:1000]
    except OSError:
        return "its folder does not exist either"
    near = did_you_mean(path.name, names).removeprefix("; ")
    return near or "check the name, and the folder you are in"
