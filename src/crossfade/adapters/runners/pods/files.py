"""
The files below a folder: listed with digests, read and written in pieces.

This module stands alone: it also serves a workspace from within a pod that has Python and nothing
else, to whoever knows its token (`python files.py FOLDER SECONDS`, see `main`).
"""

import contextlib
import errno
import hashlib
import hmac
import json
import os
import secrets
import stat
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO

PORT = 8730
TOKEN_HEADER = "X-Crossfade-Token"  # noqa: S105 - its name
LEFT_OUT = ("env_vars_to_export", "sensitive")
"""What is at the top of a workspace and belongs to single runs."""
_PART = ".crossfade-part-"
_BLOCK = 1024 * 1024
MOST_TOLD_BYTES = 4 * _BLOCK
"""No program could be given more variables."""
_MOST_ASKED_BYTES = 256 * _BLOCK
"""A question names at most every file of a workspace."""
_NOT_NOW = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE})
NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM}
"""What is said of what cannot be read as a file, however often one tries."""

Entry = list[Any]
"""Kind (`file`, `folder`, `link`), mode, size, and digest or target."""


def written(listing: dict[str, Entry]) -> str:
    """Return a listing as JSON with an entry a line, so that it can be read little by little."""
    lines = (f"{json.dumps(path)}: {json.dumps(entry)}" for path, entry in listing.items())
    return "{\n" + ",\n".join(lines) + "\n}"


class Tree:
    """The files of one folder.  Paths are relative; none leads out of it."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self._digests: dict[str, tuple[tuple[int, ...], str]] = {}
        """By path: what told that the file is unchanged, and its digest."""

    def listing(self) -> dict[str, Entry]:
        """
        Return what there is, by path; what ends while it is looked at is left out.

        Whatever their modes, owners can read files and write to folders: on the other side, too,
        something is to be put into them.  Raises OSError when the machine cannot look.
        """
        found = dict(self._walk())
        self._digests = {path: each for path, each in self._digests.items() if path in found}
        return found

    def _walk(self) -> Iterator[tuple[str, Entry]]:
        left = [""]
        while left:  # folders may be deeper than functions may call each other
            for path, entry in self._inside(left.pop()):
                yield path, entry
                if entry[0] == "folder":
                    left.append(path)

    def _inside(self, folder: str) -> Iterator[tuple[str, Entry]]:
        entries: list[os.DirEntry[str]] = []
        with _gone_left_out(), os.scandir(os.path.join(self.root, folder)) as scanned:
            entries = sorted(scanned, key=lambda one: one.name)
        for each in entries:
            path = f"{folder}/{each.name}" if folder else each.name
            if each.name.startswith(_PART) or path in LEFT_OUT or not _is_text(path):
                continue
            with _gone_left_out():
                state = each.stat(follow_symlinks=False)
                if stat.S_ISLNK(state.st_mode):
                    yield path, ["link", 0, 0, os.readlink(each.path)]
                elif stat.S_ISDIR(state.st_mode):
                    yield path, ["folder", stat.S_IMODE(state.st_mode) | 0o700, 0, ""]
                elif stat.S_ISREG(state.st_mode):
                    mode = stat.S_IMODE(state.st_mode) | 0o400
                    yield path, ["file", mode, state.st_size, self._digest(path, state)]

    def _digest(self, path: str, state: os.stat_result) -> str:
        stamp = (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        known = self._digests.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        digest = hashlib.sha256()
        with opened(os.path.join(self.root, path)) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        self._digests[path] = (stamp, digest.hexdigest())
        return digest.hexdigest()

    def read(self, pieces: list[Any]) -> bytes:
        """Return pieces `[path, offset, length]` one after the other; what is gone is zeros."""
        parts = []
        for path, offset, length in pieces:
            data = b""
            with contextlib.suppress(OSError), opened(self._place(path)) as file:
                file.seek(offset)
                data = file.read(length)
            parts.append(data.ljust(length, b"\0"))
        return b"".join(parts)

    def write(self, pieces: list[Any], data: bytes) -> None:
        """
        Write pieces `[path, offset, length, mode]`, one after the other in `data`.

        A mode ends its file, which is seen whole or not at all.
        """
        at = 0
        for path, offset, length, mode in pieces:
            place = self._place(path)
            part = os.path.join(os.path.dirname(place), f"{_PART}{_short(path)}")
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if offset == 0:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part)
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            with open(file, "wb", closefd=True) as target:
                target.seek(offset)
                target.write(data[at : at + length])
            at += length
            if mode is not None:
                os.chmod(part, mode)
                self._clear(place, "file")
                os.replace(part, place)

    def change(self, removed: list[str], folders: list[Any], links: list[Any]) -> None:
        """Remove paths, make folders `[path, mode]` and links `[path, target]`."""
        for path in sorted(removed, reverse=True):  # what is in a folder comes before it
            place = self._place(path)
            with contextlib.suppress(OSError):
                if os.path.isdir(place) and not os.path.islink(place):
                    os.rmdir(place)
                else:
                    os.unlink(place)
        for path, mode in sorted(folders):
            place = self._place(path)
            self._clear(place, "folder")
            os.makedirs(place, exist_ok=True)
            os.chmod(place, mode)
        for path, target in links:
            place = self._place(path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            self._clear(place, "link")
            os.symlink(target, place)

    def _clear(self, place: str, kind: str) -> None:
        """Remove what is of another kind than what comes."""
        if not os.path.lexists(place):
            return
        is_folder = os.path.isdir(place) and not os.path.islink(place)
        if is_folder and kind != "folder":
            os.rmdir(place)  # it is empty, or it is no longer what was listed
        elif not is_folder and kind != "file":
            os.unlink(place)

    def _place(self, path: str) -> str:
        """Return where a path is.  Raises ValueError when that is not in the folder."""
        place = os.path.normpath(os.path.join(self.root, path))
        above = os.path.realpath(os.path.dirname(place))
        if os.path.dirname(place) != above or not place.startswith(f"{self.root}/"):
            raise ValueError(f"{path} leads out of the workspace")
        return place


@contextlib.contextmanager
def _gone_left_out() -> Iterator[None]:
    """Let pass that something is gone, or not ours; what only cannot be read now is not gone."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_NOW:
            raise


def opened(path: str) -> BinaryIO:
    """
    Return a regular file to be read.  Raises OSError when there is none.

    Whoever opens a pipe waits for who writes to it, and a link may lead anywhere.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.ENXIO, "it is no regular file", path)
    return open(handle, "rb")


def told(path: str) -> tuple[str, bool]:
    """
    Return what a run has written to a file of its own, "" when it has put no file there.

    Of what is too much there are the first lines; then the second value is False.
    """
    try:
        with opened(path) as file:
            data = file.read(MOST_TOLD_BYTES + 1)
    except OSError as error:
        if error.errno not in NO_FILE:
            raise
        return "", True
    if len(data) <= MOST_TOLD_BYTES:
        return data.decode(errors="replace"), True
    return data[: data.rfind(b"\n", 0, MOST_TOLD_BYTES) + 1].decode(errors="replace"), False


def remove(folder: str) -> None:
    """
    Remove a folder with everything in it, however deep that is; what cannot be removed stays.

    What is deep comes up, one floor after the other, so that no path is too long.
    """
    name, number = secrets.token_hex(8), 0  # as nothing that comes up is called
    seen, folders = set[str](), _emptied(folder)
    while folders:
        for each in folders:
            for inner in _emptied(each):
                number += 1
                with contextlib.suppress(OSError):
                    os.rename(inner, os.path.join(folder, f"{name}-{number}"))
            with contextlib.suppress(OSError):
                os.rmdir(each)
        seen.update(folders)
        folders = [each for each in _emptied(folder) if each not in seen]
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _emptied(folder: str) -> list[str]:
    """Return the folders in a folder, in which nothing else is left then."""
    found = []
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700, follow_symlinks=False)
    with contextlib.suppress(OSError), os.scandir(folder) as scanned:
        for each in scanned:
            if each.is_dir(follow_symlinks=False):
                found.append(each.path)
                continue
            with contextlib.suppress(OSError):
                os.unlink(each.path)
    return found


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # names in other encodings cannot be told
        return False
    return True


def _short(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:16]


class Volume:
    """A claim of a build: its workspace, and a folder for each run."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        for name in ("volume", "runs", "home"):
            place = os.path.join(self._root, name)
            os.makedirs(place, exist_ok=True)
            os.chmod(place, 0o777)  # noqa: S103 - steps run as whoever their images say
        self._tree = Tree(os.path.join(self._root, "volume"))
        self._turn = threading.Lock()
        self._asked_at = time.monotonic()

    def is_idle(self, seconds: float) -> bool:
        """Return whether nobody has asked for so long, and no run is to be taken in."""
        if time.monotonic() - self._asked_at < seconds:
            return False
        return not os.listdir(os.path.join(self._root, "runs"))

    def answer(self, path: str, body: bytes) -> bytes:
        """Return the answer to one question.  Raises ValueError, OSError, KeyError, TypeError."""
        head, _, data = body.partition(b"\n")
        asked = json.loads(head or b"{}")
        self._asked_at = time.monotonic()
        with self._turn:
            if path == "/listing":
                return written(self._tree.listing()).encode()
            if path == "/read":
                return self._tree.read(asked["pieces"])
            if path == "/write":
                self._tree.write(asked["pieces"], data)
            elif path == "/change":
                self._tree.change(asked["removed"], asked["folders"], asked["links"])
            elif path == "/begin":
                self._begin(asked["run"], asked["folders"])
            elif path == "/forget":
                remove(self._run(asked["run"]))
            elif path == "/run":
                return json.dumps(self._told(asked["run"])).encode()
            else:
                raise ValueError(f"nothing is at {path}")
        return b"{}"

    def _begin(self, run: str, folders: list[str]) -> None:
        """Make the files of a run, and the folders of the workspace that it asks for."""
        place = self._run(run)
        os.makedirs(place, exist_ok=True)
        os.chmod(place, 0o777)  # noqa: S103 - as above
        for name in ("exports", "masked"):
            file = os.path.join(place, name)
            with open(file, "ab"):
                os.chmod(file, 0o666)  # noqa: S103 - as above
        top = os.path.join(self._tree.root, LEFT_OUT[0])
        with open(top, "ab"):  # to be covered by that of the run
            pass
        for each in folders:
            inside = os.path.realpath(os.path.join(self._tree.root, each))
            if inside != self._tree.root and not inside.startswith(f"{self._tree.root}/"):
                raise ValueError(f"{each} is a link that leads out of the workspace")
            if not os.path.isdir(inside):
                os.makedirs(inside)
                os.chmod(inside, 0o777)  # noqa: S103 - as above

    def _told(self, run: str) -> dict[str, Any]:
        """Return what a run has exported, the names that it wants masked, and if that is all."""
        place = self._run(run)
        texts = {name: told(os.path.join(place, name)) for name in ("exports", "masked")}
        return {
            **{name: text for name, (text, _) in texts.items()},
            "whole": all(whole for _, whole in texts.values()),
        }

    def _run(self, run: str) -> str:
        if not run or "/" in run or run.startswith("."):
            raise ValueError(f"{run!r} is the name of no run")
        return os.path.join(self._root, "runs", run)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    volume: Volume
    token: str

    def do_POST(self) -> None:
        """Answer a question."""
        given = (self.headers.get(TOKEN_HEADER) or "").encode(errors="replace")
        size = self.headers.get("Content-Length") or "0"
        if not hmac.compare_digest(given, self.token.encode()):
            self._refuse(401, b"who asks does not know the token")
            return
        if not size.isdecimal() or int(size) > _MOST_ASKED_BYTES:
            self._refuse(413, b"the question is too long")
            return
        body = self.rfile.read(int(size))
        try:
            self._send(200, self.volume.answer(self.path, body))
        except (ValueError, KeyError, TypeError) as error:
            self._send(400, str(error).encode())
        except OSError as error:
            self._send(507, f"{error.strerror}: {error.filename}".encode())

    def do_GET(self) -> None:
        """Say that it is ready."""
        self._send(200, b"ok")

    def _refuse(self, code: int, body: bytes) -> None:
        """Answer without a look at what comes, and hear no more of it."""
        self.close_connection = True
        self._send(code, body)

    def _send(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the library
        """Say nothing."""


def main() -> None:
    """Serve the folder that is named, at $PORT, to whoever knows $TOKEN, until it is idle."""
    volume, idle_seconds = Volume(sys.argv[1]), float(sys.argv[2])
    _Handler.volume, _Handler.token = volume, os.environ["TOKEN"]
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", PORT))), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not volume.is_idle(idle_seconds):
        time.sleep(min(1.0, idle_seconds / 4))


if __name__ == "__main__":
    main()
