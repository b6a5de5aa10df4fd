"""What steps do that run services beside them, or in their place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.pipeline.compose import read_probe
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings, Step
from crossfade.core.pipeline.graph import SERVICES
from crossfade.core.pipeline.work import Access, CannotRun, Work, directory_of, text

TESTS = ("integration-test", "travis", "simple_travis")
TYPES = ("composition", SERVICES, *TESTS)
_IMAGES = {"postgresql": "postgres"}
"""Of preconfigured services that are not called as their images are."""


def work_of(step: Step, context: Context) -> Work:
    """Return the work of a step of one of these types.  Raises CannotRun."""
    settings = context.settings(step)
    match step.type:
        case "composition":
            return compose(settings, context)
        case kind if kind in TESTS:
            return integration_test(settings, context)
        case _:
            return of_build(settings, context)


def of_build(settings: Settings, context: Context) -> Work:
    """Return the work of services of the whole build: they run, and there is nothing else."""
    work = _work(Composition(None), directory_of({}, context))
    return replace(work, composition=beside(settings), access=Access.NONE)


def compose(settings: Settings, context: Context) -> Work:
    """Return the work of a composition, which its candidates decide."""
    directory = directory_of(settings, context)
    candidates = settings.get("composition_candidates")
    if not isinstance(candidates, dict) or not candidates:
        raise CannotRun("it has no candidates to decide on its result")
    for name, each in candidates.items():
        if isinstance(each, dict) and not (each.get("command") or each.get("image")):
            raise CannotRun(f"the candidate {name} has no `command`")
    variables = assignments(settings.get("composition_variables"))
    composition = Composition(settings.get("composition"), candidates, variables)
    return _work(composition, directory)


def integration_test(settings: Settings, context: Context) -> Work:
    """Return the work of an integration test: services, and commands that decide."""
    test = settings.get("test")
    given = test if isinstance(test, dict) else {}
    directory = directory_of({"working_directory": given.get("working_directory")}, context)
    commands = given.get("commands") or given.get("command")
    lines = [text(each) for each in (commands if isinstance(commands, list) else [commands])]
    candidate: dict[str, Json] = {
        "image": given.get("image"),
        "entrypoint": ["sh", "-c"],
        "command": ["\n".join(["set -e", *lines])],
        "working_dir": directory,
    }
    services = settings.get("services")
    named = {**preconfigured(settings), **(services if isinstance(services, dict) else {})}
    if "test" in named:
        raise CannotRun("a service cannot be named `test`")
    return _work(Composition({"services": named}, {"test": candidate}), directory)


def preconfigured(settings: Settings) -> dict[str, Json]:
    """Return the services that are asked for by a name alone: each is its public image."""
    listed = settings.get("preconfigured_services")
    if listed is None:
        listed = settings.get("services")  # of `simple_travis`
    names = [text(each) for each in listed] if isinstance(listed, list) else []
    return {name: {"image": _IMAGES.get(name, name)} for name in names}


def _work(composition: Composition, directory: str) -> Work:
    members = {"self": directory, "workingDirectory": directory}
    work = Work("", "sh", directory, _ANY, members, access=Access.FLEET)
    return replace(work, composition=composition)


_ANY = "alpine"
"""Candidates have images of their own; what is around them is a plain shell."""


def beside(given: Json) -> Composition | None:
    """Return the services that run beside a freestyle step, None when it has none."""
    if not isinstance(given, dict) or not given.get("composition"):
        return None
    try:
        ready, setup = read_probe(given.get("readiness")), read_probe(given.get("setup"))
    except InputError as error:
        raise CannotRun(str(error)) from error
    return Composition(given.get("composition"), ready=ready, setup=setup)


def assignments(given: Json) -> dict[str, str]:
    """Return a list of NAME=value as a mapping."""
    listed = given if isinstance(given, list) else []
    pairs = (text(each).partition("=") for each in listed)
    return {name.strip(): value for name, _, value in pairs if name.strip()}


def against(step: Step, of_build: str | None = None) -> Iterator[str]:
    """
    Yield what a step asks for, of services and compositions, that is not there.

    `of_build` is the name of the services of the whole build, None when it has none.
    """
    given = step.settings
    services = given.get("services")
    if step.type == "freestyle" and isinstance(services, list):
        yield from (
            f"there are no services `{each}`: only those of the pipeline's own `services` can be "
            f"named{f', `{of_build}`' if of_build else ''}; or write them into the step"
            for each in services
            if not of_build or each != of_build
        )
    elif step.type == "freestyle" and isinstance(services, dict) and services:
        yield from _against_services(services)
    elif step.type == SERVICES:
        yield from _against_services(given)
    if step.type in ("composition", "launch-composition"):
        yield from _against_document(given.get("composition"))


def _against_services(services: Mapping[str, Json]) -> Iterator[str]:
    if not services.get("composition"):
        yield "`services` without a `composition` are not supported"
    for key in ("readiness", "setup"):
        probe = services.get(key)
        if isinstance(probe, dict) and probe.get("commands") and not probe.get("image"):
            yield f"`{key}` of services needs an image"
    yield from _against_document(services.get("composition"))


def _against_document(given: Json) -> Iterator[str]:
    """Yield what is wrong with a composition that is written here, as far as it is known."""
    if not isinstance(given, dict):
        return
    services = given.get("services", given)
    for name, each in services.items() if isinstance(services, dict) else ():
        if isinstance(each, dict) and each.get("build"):
            yield f"{name}: `build` is not supported; a step of type build makes its image"
