"""
The program that helm pipes rendered manifests through: `--post-renderer`.

It starts with every install, so it imports little.  The functions that give flags make it run with
the Python and the code of the process that asks.
"""

import sys

from crossfade.adapters.helm import manifest_text
from crossfade.base.errors import CrossfadeError
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release import sizing
from crossfade.core.release.kinds import Object
from crossfade.core.release.manifests import prepare
from crossfade.core.release.rolling import prepare_in_place
from crossfade.core.release.shared import prepare_shared

_START = "import sys; sys.path.insert(0, sys.argv[1]); from {module} import main; main()"


def beside(application: ApplicationName, revision: RevisionId, percent: int = 100) -> list[str]:
    """
    Return the flags for helm that make objects the revision's own, to stand beside others.

    They ask for `percent` of the chart's own pods from the start.
    """
    return _flags("beside", application, revision, str(percent))


def in_place(application: ApplicationName, revision: RevisionId) -> list[str]:
    """Return the flags for helm that let the revision follow the one before, pod by pod."""
    return _flags("in-place", application, revision)


def shared(name: str) -> list[str]:
    """Return the flags for helm that only mark objects as the shared release's."""
    return _flags("shared", name)


def _flags(*job: str) -> list[str]:
    """Return the flags for helm that put this program between rendering and installing."""
    root = __file__.removesuffix("/" + __name__.replace(".", "/") + ".py")
    command = ["-I", "-c", _START.format(module=__name__), root, *job]
    flags = ["--post-renderer", sys.executable]
    return flags + [f"--post-renderer-args={argument}" for argument in command]


def main() -> None:
    """Read manifests on standard input, write what is to be installed to standard output."""
    try:
        done = _render(sys.argv[2:], manifest_text.read(sys.stdin.buffer.read()))
    except CrossfadeError as error:
        sys.stderr.write(f"crossfade: {error}\ncrossfade-hint: {error.hint}\n")
        sys.exit(1)
    sys.stdout.write(manifest_text.write(done))


def _render(job: list[str], rendered: list[Object]) -> list[Object]:
    match job:
        case ["beside", application, revision, percent]:
            prepared = prepare(rendered, ApplicationName(application), RevisionId(revision))
            objects = list(prepared.objects)
            sizing.resize(objects, int(percent))
            return objects
        case ["in-place", application, revision]:
            return prepare_in_place(rendered, ApplicationName(application), RevisionId(revision))
        case ["shared", name]:
            return prepare_shared(rendered, name)
        case _:
            raise ValueError(f"there is no such job: {job}")
