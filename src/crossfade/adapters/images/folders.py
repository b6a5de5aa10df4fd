"""Folders with the files of images, which may be such that nobody may enter them."""

import os
import shutil
from pathlib import Path


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, also folders that nobody may enter."""
    for parent, names, _ in os.walk(folder):
        for name in names:
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
