"""Steps that start a build of another pipeline."""

import json
import shlex
from collections.abc import Iterator

from crossfade.base.json_value import Json
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.deploying import ONCE
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.variables import as_flag
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun, Work, base_directory, text

CHILD = "codefresh-run"
_SHORT = 7


def objections(settings: Settings) -> Iterator[str]:
    """Yield what stands against running such a step."""
    if not settings.get("PIPELINE_ID"):
        yield "the argument `PIPELINE_ID` is missing: the name of a registered pipeline"


def start(settings: Settings, context: Context) -> Work:
    """Return the work that starts a build of a registered pipeline, once, and waits for its end."""
    pipeline = text(settings.get("PIPELINE_ID")).strip()
    if not pipeline or "${{" in pipeline:
        raise CannotRun(f"it does not know what to run: PIPELINE_ID is {pipeline!r}")
    words = ["crossfade", "pipeline", "start", "--variables", "-"]
    if parent := context.scope.texts.get("CF_BUILD_ID"):
        words += ["--parent", parent]
    for option, key in (("--branch", "BRANCH"), ("--trigger", "TRIGGER_ID")):
        if given := text(settings.get(key)).strip():
            words.append(f"{option}={given}")
    if given := text(settings.get("YAML")).strip():
        words.append(f"--yaml={given}")
    for option, key in (("--only", "ONLY"), ("--skip", "SKIP")):
        words += (f"{option}={each.strip()}" for each in _listed(settings, key) if each.strip())
    if as_flag(settings.get("RESET_VOLUME"), default=False):
        words.append("--reset-volume")
    words += (f"--context={each.strip()}" for each in _listed(settings, "CONTEXT") if each.strip())
    if not as_flag(settings.get("DETACH"), default=False):
        follow = as_flag(settings.get("FOLLOW_LOGS"), default=True)
        words += ["--follow" if follow else "--wait", "--timeout", f"{_minutes(settings)}m"]
        if as_flag(settings.get("TERMINATE_ON_TIMEOUT"), default=False):
            words.append("--terminate-on-timeout")
    # As a document, for there it is seen by nobody; a line of JSON is never the word that ends it.
    values = json.dumps(_variables(settings))
    line = f'{shlex.join(words)} --once "${ONCE}" -- {shlex.quote(pipeline)}'
    script = f"exec {line} <<'END'\n{values}\nEND\n"
    return Work(script, "sh", base_directory(context), "", {"self": VOLUME}, access=Access.HUB)


def _minutes(settings: Settings) -> str:
    given = text(settings.get("TIMEOUT_MINS")).strip() or "45"
    if not given.isascii() or not given.isdigit() or int(given) == 0:
        raise CannotRun(f"TIMEOUT_MINS is {given!r}; allowed: a whole number of minutes above 0")
    return given


def _variables(settings: Settings) -> dict[str, Json]:
    found: dict[str, Json] = {}
    if revision := text(settings.get("SHA")).strip():
        found |= {"CF_REVISION": revision, "CF_SHORT_REVISION": revision[:_SHORT]}
    for name, value in _pairs(settings, "VARIABLE"):
        found[name] = value
    for name, value in _pairs(settings, "SECRETS"):
        found[name] = {"value": value, "secret": True}
    return found


def _listed(settings: Settings, key: str) -> list[str]:
    given = settings.get(key)
    if given is None:
        return []
    return [text(each) for each in given] if isinstance(given, list) else [text(given)]


def _pairs(settings: Settings, key: str) -> list[tuple[str, str]]:
    found = []
    for each in _listed(settings, key):
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise CannotRun(f"{key} has {each.partition('=')[0]!r}; allowed: a list of NAME=VALUE")
        found.append((name.strip(), value))
    return found
