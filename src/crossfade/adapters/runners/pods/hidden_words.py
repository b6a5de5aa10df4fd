"""Words of commands with secrets in them: a Secret has them, and the pod only says which."""

import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crossfade.core.pipeline.masking import masked

PROBED = "CF_STEP_PROBE"
_EVALUATED = ("sh", "-c", f'eval "${PROBED}"')


class Told(NamedTuple):
    """A command as a pod says it, and the variables that it refers to."""

    words: list[str]
    variables: dict[str, str]


def told(words: Iterable[str], secrets: Sequence[str], what: str = "") -> Told:
    """
    Return a command for a container: Kubernetes puts variables in the place of `$(NAME)`.

    `what` tells commands of one Secret apart.  No other `$(NAME)` is meant for Kubernetes.
    """
    found = Told([], {})
    for word in words:
        if masked(word, secrets) == word:
            found.words.append(word.replace("$", "$$"))
            continue
        name = f"CF_STEP_WORD_{what}{len(found.words)}"
        found.variables[name] = word
        found.words.append(f"$({name})")
    return found


def probed(argv: Sequence[str], secrets: Sequence[str]) -> Told:
    """Return a command for a probe, in which Kubernetes puts nothing: a shell does."""
    if all(masked(word, secrets) == word for word in argv):
        return Told(list(argv), {})
    return Told(list(_EVALUATED), {PROBED: shlex.join(argv)})
