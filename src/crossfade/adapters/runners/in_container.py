"""
A step in a container of an engine: its image is made ready, then it is run and attended to.

This runs as a program in the step's own process, so that fetching takes the step's time, its
output, and ends with it.  It becomes the engine's command in the end, with a small shell around
that asks the engine how the container has ended.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from crossfade.adapters.images.running import PATH
from crossfade.adapters.runners import in_image
from crossfade.adapters.runners.container_images import Ready, ready
from crossfade.adapters.runners.container_words import Hiding
from crossfade.adapters.runners.containers import (
    Container,
    Containers,
    Network,
    open_to,
    running,
    variables_of,
)
from crossfade.adapters.runners.in_image import Command, InImage
from crossfade.base.codec import to_json
from crossfade.base.errors import InputError
from crossfade.core.image.command import command_of

_FIRST = """cd "$1" 2>/dev/null || { mkdir -p "$1" && cd "$1"; } || exit 126
shift
"$@" &
child=$!
trap 'kill -TERM -1 2>/dev/null' TERM INT HUP
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done
"""
"""The first process of a container gets no signal that it does not ask for, and gets them all."""

_ATTEND = """engine=$1 name=$2
shift 2
trap : TERM INT HUP
"$engine" "$@"
code=$?
[ "$code" != 0 ] || exit 0
how='{{.State.Status}} {{.State.ExitCode}}'
case $("$engine" container inspect --format "$how" "$name" 2>/dev/null) in
  exited\\ *|stopped\\ *|dead\\ *)
    exit "$("$engine" container inspect --format '{{.State.ExitCode}}' "$name")" ;;
  created\\ *|configured\\ *|initialized\\ *)
    echo "hint: an image without a shell runs its entry point when \\`commands\\` are left out" >&2
    exit "$code" ;;
  '')
    ! "$engine" version >/dev/null 2>&1 || exit "$code" ;;
esac
kill -KILL 0
"""
"""The engine knows how the container ended; while it goes on, or nobody knows, the run is lost."""


@dataclass(frozen=True, slots=True)
class InContainer:
    """What is to be run, and where."""

    step: InImage
    containers: Containers
    run: str
    """The run's folder, which marks what belongs to it."""
    name: str
    network: str
    secrets: tuple[str, ...] = ()
    """Values that must not be shown."""


def command(wanted: InContainer, file: Path, variables: Path) -> list[str]:
    """Return the command that runs it; `file` is written, and only its owner may read it."""
    return in_image.own_program(__name__, to_json(wanted), file, variables)


def main() -> NoReturn:
    """Become the engine's command, or say why that cannot be."""
    in_image.become(InContainer, attended)


def attended(wanted: InContainer, given: Mapping[str, str]) -> Command:
    """
    Return the command and its environment, where `given` are the variables of the run.

    An image on the machine's own files runs on these.  Raises as `ready` and `running` do.
    """
    step, where = wanted.step, wanted.containers
    image = ready(where.command, step.where, step.image, step.inside.contexts, _say)
    if image.on_host:
        return in_image.prepared(step, given)
    open_to(image.config.user, step.mounts)
    hiding = Hiding(where, wanted.run, wanted.secrets, _say)
    argv, more = hiding.told(image.id, _argv(step, image))
    container = Container(
        image.id,
        argv,
        step.mounts,
        wanted.network,
        wanted.name,
        directory="" if step.inside.runs_script or step.inside.own_directory else step.directory,
        environment={
            **variables_of(given, step.where.passwords(), image.config, step.path),
            **more,
        },
        # Kept so that the engine can be asked how it ended, but not on the network of others.
        removed=wanted.network != Network.HOST,
    )
    file = Path(step.working).with_suffix(".variables")
    words, environment = running(where, wanted.run, container, file)
    shell = ["/bin/sh", "-c", _ATTEND, "attend", words[0], wanted.name, *words[1:]]
    return shell, {"PATH": PATH, **environment}


def _argv(step: InImage, image: Ready) -> tuple[str, ...]:
    if not step.inside.runs_script:
        found = command_of(image.config, step.inside.entry_point, step.inside.arguments)
        if not found:
            hint = "give the step `commands` or `cmd`, or the image a CMD"
            raise InputError("the image has neither entry point nor command", hint=hint)
        return found
    directory = step.directory
    if step.inside.own_directory:
        directory = image.config.working_directory or "/"
    return ("sh", "-c", _FIRST, "first", directory, *step.argv)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the output of the step
