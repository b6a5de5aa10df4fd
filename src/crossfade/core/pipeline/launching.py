"""Steps that launch a composition which goes on when their build has ended."""

import json
import re
import shlex
from collections.abc import Iterator

from crossfade.base.units import parse_duration
from crossfade.core.pipeline.composing import assignments
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.deploying import ONCE
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun, Work, directory_of, text

LAUNCH = "launch-composition"
LIFETIME = "24h"
"""How long an environment goes on unless its step says otherwise."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_MOST_SECONDS = 30 * 86400.0


def objections(settings: Settings) -> Iterator[str]:
    """Yield what stands against running such a step."""
    written = text(settings.get("lifetime"))
    if written and "${{" not in written:
        try:
            lifetime(written)
        except CannotRun as error:
            yield str(error)


def launch(settings: Settings, context: Context) -> Work:
    """Return the work that launches an environment, once, and waits until it has started."""
    name = text(settings.get("environment_name")).strip()
    if not name:
        given = context.scope.texts
        name = f"{given.get('CF_PIPELINE_NAME', '')}/{given['CF_STEP_NAME']}".strip("/")
    check_name(name)
    length = text(settings.get("lifetime")) or LIFETIME
    lifetime(length)
    document = {
        "composition": settings.get("composition"),
        "directory": directory_of(settings, context),
        "variables": {
            **context.scope.texts,
            **assignments(settings.get("composition_variables")),
        },
    }
    words = ["crossfade", "pipeline", "environment", "launch", "--lifetime", length]
    words += ["--build", context.scope.texts.get("CF_BUILD_ID", "")]
    # As a document, for there it is seen by nobody; a line of JSON is never the word that ends it.
    line = f'{shlex.join(words)} --once "${ONCE}" -- {shlex.quote(name)}'
    script = f"exec {line} <<'END'\n{json.dumps(document)}\nEND\n"
    return Work(script, "sh", VOLUME, "", {"self": VOLUME}, access=Access.HUB)


def check_name(name: str) -> None:
    """Return if an environment can be called so.  Raises CannotRun."""
    if not _NAME.fullmatch(name):
        raise CannotRun(
            f"environment_name is {name!r}; allowed: letters, digits and _ . / -, at most 100"
        )


def lifetime(written: str) -> float:
    """Return seconds.  Raises CannotRun."""
    try:
        seconds = parse_duration(written.strip())
    except ValueError as error:
        raise CannotRun(f"lifetime is {written!r}: {error}") from error
    if not 0 < seconds <= _MOST_SECONDS:
        raise CannotRun(f"lifetime is {written!r}; allowed: above 0, at most 720h")
    return seconds
