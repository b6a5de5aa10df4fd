"""What git says of a folder, as the variables that a trigger would give."""

import subprocess
from pathlib import Path

from crossfade.core.pipeline.variables import Source, Variable, tag_form

_SECONDS = 10


def facts(folder: Path) -> dict[str, Variable]:
    """Return variables of the branch and the commit; none where there is no git, or no commit."""
    revision = _git(folder, "rev-parse", "HEAD")
    if not revision:
        return {}
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    origin = _git(folder, "remote", "get-url", "origin").removesuffix(".git").rstrip("/")
    parts = origin.replace(":", "/").split("/") if origin else []
    message = _git(folder, "log", "-1", "--format=%B")
    tag = tag_form(branch)
    found = {
        "CF_REVISION": revision,
        "CF_SHORT_REVISION": revision[:7],
        "CF_BRANCH": branch,
        "CF_BRANCH_TAG_NORMALIZED": tag,
        "CF_BRANCH_TAG_NORMALIZED_LOWER_CASE": tag.lower(),
        "CF_COMMIT_AUTHOR": _git(folder, "log", "-1", "--format=%an"),
        "CF_COMMIT_MESSAGE": message,
        "CF_REPO_NAME": parts[-1] if parts else folder.resolve().name,
        "CF_REPO_OWNER": parts[-2] if len(parts) > 1 else "",
    }
    return {name: Variable(name, value, Source.TRIGGER) for name, value in found.items() if value}


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
