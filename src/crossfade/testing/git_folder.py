"""Repositories of git in folders, for tests."""

import shutil
import subprocess
from pathlib import Path

_OWN = ("user.name=ann", "user.email=ann@example.com", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> str:
    """Return what git prints in the folder.  Raises CalledProcessError when it fails."""
    own = [part for each in _OWN for part in ("-c", each)]
    command = [shutil.which("git") or "git", "-C", str(folder), *own, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def two_branches(folder: Path) -> Path:
    """
    Return the folder, made and with two commits in it.

    `main` says "first" in `file`; `other`, which is checked out, goes on from there and says
    "second".  `ignored` is left out.
    """
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("first\n")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "checkout", "-q", "-b", "other")
    (folder / "file").write_text("second\n")
    git(folder, "commit", "-q", "-a", "-m", "two")
    return folder
