"""An image with a shell and a few tools of this machine, for engines that reach no registry."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from crossfade.adapters.images.builder import BuiltInBuilder
from crossfade.adapters.images.cache import LayerCache
from crossfade.adapters.images.store import ImageStore
from crossfade.core.image.reference import reference
from crossfade.ports.image_builder import BuildOrder

TOOLS = ("sh", "cat", "env", "false", "getent", "id", "ls", "mkdir", "sleep", "touch", "true")
_TEXT = "FROM scratch\nCOPY root /\nENV PATH=/bin FROM_IMAGE=yes\n"
_USERS = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n"


def make_tool_image(folder: Path, name: str, *, more: str = "") -> ImageStore:
    """
    Return a store in `folder` with an image of this name, which has the TOOLS.

    `more` are further instructions of its Dockerfile.
    """
    root = folder / "context/root"
    for each in ("bin", "etc", "tmp"):
        (root / each).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text(_USERS)
    for tool in TOOLS:
        found = shutil.which(tool)
        if found is None:
            raise FileNotFoundError(tool)
        shutil.copy2(found, root / "bin" / tool)
        for library in _libraries(found):
            place = root / library.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, place)
    store = ImageStore(folder / "images")
    order = BuildOrder(_TEXT + more, folder / "Dockerfile", folder / "context", (reference(name),))
    cache = LayerCache(store, folder / "cache")
    BuiltInBuilder(store, cache, lambda _: None, lambda _: False).build(order)
    return store


def _libraries(program: str) -> Iterable[Path]:
    ldd = [shutil.which("ldd") or "ldd", program]
    done = subprocess.run(ldd, capture_output=True, text=True, check=False)
    return [Path(each) for each in re.findall(r"(/\S+) \(0x", done.stdout)]
