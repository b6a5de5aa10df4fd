"""
The program that helm pipes rendered manifests through: `--post-renderer`.

It starts with every install, so it imports little.  `arguments` gives the command line that runs
it with the Python and the code of the process that asks.
"""

import sys

from crossfade.adapters.helm import manifest_text
from crossfade.base.errors import CrossfadeError
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release.manifests import prepare

_START = "import sys; sys.path.insert(0, sys.argv[1]); from {module} import main; main()"


def arguments(application: ApplicationName, revision: RevisionId) -> list[str]:
    """Return the flags for helm that put this program between rendering and installing."""
    root = __file__.removesuffix("/" + __name__.replace(".", "/") + ".py")
    command = ["-I", "-c", _START.format(module=__name__), root, application, revision]
    flags = ["--post-renderer", sys.executable]
    return flags + [f"--post-renderer-args={argument}" for argument in command]


def main() -> None:
    """Read manifests on standard input, write those of the revision to standard output."""
    application, revision = sys.argv[2:4]
    try:
        rendered = manifest_text.read(sys.stdin.buffer.read())
        prepared = prepare(rendered, ApplicationName(application), RevisionId(revision))
    except CrossfadeError as error:
        sys.stderr.write(f"crossfade: {error}\ncrossfade-hint: {error.hint}\n")
        sys.exit(1)
    sys.stdout.write(manifest_text.write(list(prepared.objects)))
