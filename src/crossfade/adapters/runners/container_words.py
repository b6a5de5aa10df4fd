"""Commands of containers with secrets in them: no command line of an engine has these."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossfade.adapters.runners.containers import Containers
from crossfade.core.pipeline.masking import masked

WORDS = "CF_STEP_WORDS"
_BEHIND = f'words=${WORDS}; unset {WORDS}; eval "exec $words"'
_PROBE = ("--network=none", "--log-driver=none", "--pull=never", "--entrypoint=sh")


@dataclass(frozen=True, slots=True)
class Hiding:
    """Where containers run, and what their command lines are not to say."""

    containers: Containers
    run: str
    """The run's folder, which marks what belongs to it."""
    secrets: tuple[str, ...]
    say: Callable[[str], None]

    def told(self, image: str, argv: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """
        Return the command that becomes this one, and the variables that this takes.

        It needs the shell of the image; without one, the command stays as it is and people are
        told.
        """
        if all(masked(word, self.secrets) == word for word in argv):
            return tuple(argv), {}
        if self._has_shell(image):
            return ("sh", "-c", _BEHIND), {WORDS: shlex.join(argv)}
        self.say(
            "warning: its command has a secret, which others on this machine can read, as its "
            "image has no shell; give the secret as a variable"
        )
        return tuple(argv), {}

    def _has_shell(self, image: str) -> bool:
        words = ("run", "--rm", *self.containers.labels(self.run), *_PROBE, image, "-c", ":")
        return self.containers.command.tried(*words)[0] == 0
