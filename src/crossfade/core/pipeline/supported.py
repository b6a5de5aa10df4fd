"""Which pipelines can be run, asked before anything of them is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from crossfade.core.pipeline import building, composing, external_resources, launching
from crossfade.core.pipeline.chart_pushing import refusal, uploads
from crossfade.core.pipeline.children import CHILD, objections
from crossfade.core.pipeline.deploying import DEPLOY_IMAGE, HELM_IMAGES, ON_CANCEL, ROLLOUT
from crossfade.core.pipeline.document import Settings, Step
from crossfade.core.pipeline.graph import SERVICES, Graph
from crossfade.core.pipeline.images import Tools, bare, is_allowed, tools_for
from crossfade.core.pipeline.public_steps import meaningless, public_step
from crossfade.core.pipeline.state import BUILD
from crossfade.core.pipeline.step_shapes import KNOWN_TYPES
from crossfade.core.pipeline.work import text

_TOOLS: Mapping[str, tuple[str, ...]] = {
    "git-clone": ("git",),
    external_resources.KEY: ("git",),
    "helm": ("helm",),
    "deploy": ("kubectl", "awk"),
    ROLLOUT: (),
    CHILD: (),
    launching.LAUNCH: (),
    **dict.fromkeys((*building.TYPES, *composing.TYPES), ()),
}
"""What steps of these types need, for they have no image that says it."""
_SPEAKING = (*HELM_IMAGES, DEPLOY_IMAGE)
"""Images whose entry points are known."""
_OF_BUILD = "services are no step: write them as `services` of the pipeline or of a step"
_NOT_RUN = ("role_arn",)
"""Keys of freestyle steps that ask for what is not there."""


def no_image(_image: str) -> bool:
    """Return that there are no images."""
    return False


@dataclass(frozen=True, slots=True)
class _Machine:
    tools: Callable[[str], bool]
    allowed: tuple[str, ...]
    has_image: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a pipeline cannot be run."""

    line: int
    """0: it is not known."""
    step: str
    why: str
    image: str = ""
    """The image that is not at hand, if that is what is wrong."""
    for_tools: bool = False
    """Whether people may say that this machine's tools stand for that image."""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.step}: {self.why}"


def refusals(
    graph: Graph,
    fill_in: Callable[[str], str],
    tools: Callable[[str], bool],
    allowed: tuple[str, ...],
    has_image: Callable[[str], bool] = no_image,
) -> tuple[Refusal, ...]:
    """
    Return everything that stands against running the pipeline, in the order of its lines.

    `fill_in` puts values in for references, `tools` says whether this machine has a command,
    `allowed` are images that may be run with the machine's tools though they are not known, and
    `has_image` says whether an image is at hand.
    """
    machine = _Machine(tools, allowed, has_image)
    of_build = graph.pipeline.services
    named = text(of_build.get("name")) if isinstance(of_build, dict) else None
    found = []
    for key, unit in graph.units.items():
        step = unit.step
        if key == BUILD or step.block is not None or step.approval is not None:
            continue
        if step.type == SERVICES and key != graph.services:
            found.append(Refusal(step.line, key, _OF_BUILD))
            continue
        against = (*composing.against(step, named), *_against(step, fill_in, machine))
        found += (Refusal(step.line, key, why) for why in against)
        found += _against_image(step, key, fill_in, machine)
    return tuple(sorted(found, key=lambda each: each.line))


def notices(
    graph: Graph,
    fill_in: Callable[[str], str],
    allowed: tuple[str, ...],
    has_image: Callable[[str], bool] = no_image,
) -> tuple[Tools, ...]:
    """Return the images that the machine's tools stand for, each once."""
    images = dict.fromkeys(_image(unit.step, fill_in) for unit in graph.units.values())
    outside = (each for each in images if each and not runs_inside(each, allowed, has_image))
    known = (tools_for(image, allowed) for image in outside)
    return tuple(each for each in known if each is not None)


def image_refusal(image: str, tools: Callable[[str], bool], allowed: tuple[str, ...]) -> str:
    """Return why a step of this image cannot be run, "" when it can."""
    found = tools_for(image, allowed)
    if found is None:
        return (
            f"the image {image} is neither kept here nor in a known registry, and which tools of "
            "this machine stand for it is not known"
        )
    missing = [each for each in found.commands if not tools(each)]
    if missing:
        return f"for the image {image} this machine needs {', '.join(missing)}; install it"
    return ""


def ways_out(refused: Iterable[Refusal]) -> str:
    """Return what people may do about images that are not at hand, "" when it is not about any."""
    about = [each for each in refused if each.image]
    images = tuple(dict.fromkeys(each.image for each in about))
    if not images:
        return ""
    fitting = tuple(dict.fromkeys(each.image for each in about if each.for_tools))
    with_tools = " ".join(f"--host-image {each}" for each in fitting)
    found = ["`--runner container` has podman or docker pull images"]
    found += [f"`crossfade image pull {images[0]}` keeps one here"]
    found += [f"`{with_tools}` runs their commands with this machine's tools"] if fitting else []
    return "; ".join(found)


def unknown_image(image: str, why: str) -> str:
    """Return why a step of the image cannot be run, together with the ways out."""
    return f"{why}; {ways_out([Refusal(0, '', why, image, for_tools=tools_for(image) is None)])}"


def _image(step: Step, fill_in: Callable[[str], str]) -> str:
    image = step.settings.get("image")
    if step.type != "freestyle" or not isinstance(image, str):
        return ""
    return fill_in(image)


def runs_inside(image: str, allowed: tuple[str, ...], has_image: Callable[[str], bool]) -> bool:
    """Return whether a step runs on the files of its image: if it is at hand, and not disowned."""
    return bool(image) and not is_allowed(image, allowed) and has_image(image)


def _against(step: Step, fill_in: Callable[[str], str], machine: _Machine) -> Iterator[str]:
    if step.type in _TOOLS:
        yield from _against_type(step, machine.tools)
        yield from _against_preconfigured(step, machine)
        return
    if public := public_step(step.type):
        missing = [each for each in public.tools if not machine.tools(each)]
        yield from ([f"this machine needs {', '.join(missing)}; install it"] if missing else [])
        yield from public.against(step.settings)
        return
    if why := meaningless(step.type):
        yield why
        return
    if step.type != "freestyle":
        why = f"steps of type {step.type} are not supported yet"
        yield why if step.type in KNOWN_TYPES else f"{why}; --steps may say what they are made of"
        return
    yield from (f"`{key}` is not supported yet" for key in _NOT_RUN if step.settings.get(key))


def _against_image(
    step: Step, key: str, fill_in: Callable[[str], str], machine: _Machine
) -> Iterator[Refusal]:
    """Yield why a step cannot be run for its image."""
    if step.type != "freestyle":
        return
    image = _image(step, fill_in)
    if "${{" in image or runs_inside(image, machine.allowed, machine.has_image):
        return  # an earlier step may say which one
    silent = not step.settings.get("commands") and not step.settings.get("entry_point")
    if silent and bare(image) not in _SPEAKING:
        why = f"it has no `commands`: the entry point of {image} would run, which is not at hand"
        yield Refusal(step.line, key, why, image)
        return
    why = image_refusal(image, machine.tools, machine.allowed)
    if why:
        unknown = tools_for(image, machine.allowed) is None
        yield Refusal(step.line, key, why, image, for_tools=unknown)


def _against_preconfigured(step: Step, machine: _Machine) -> Iterator[str]:
    """Yield which of the services that are asked for by a name alone cannot be had."""
    if step.type not in composing.TESTS:
        return
    for name, each in composing.preconfigured(step.settings).items():
        image = text(each.get("image")) if isinstance(each, dict) else ""
        if not runs_inside(image, machine.allowed, machine.has_image):
            yield f"the service {name} is its image, and {image} is not at hand"


def _against_type(step: Step, tools: Callable[[str], bool]) -> Iterator[str]:
    missing = [each for each in _TOOLS[step.type] if not tools(each)]
    if missing:
        yield f"this machine needs {', '.join(missing)}; install it"
    given = step.settings
    if step.type in building.TYPES:
        yield from building.against(step.type, given)
    if step.type == ROLLOUT:
        if not given.get("application"):
            yield "the argument `application` is missing: the name of what is deployed"
        if given.get("on_cancel", "abort") not in ON_CANCEL:
            yield f"on_cancel is {given['on_cancel']!r}; allowed: {', '.join(ON_CANCEL)}"
    if step.type == CHILD:
        yield from objections(given)
    if step.type == launching.LAUNCH:
        yield from launching.objections(given)
    if step.type == "helm":
        yield from _against_helm(given, tools)


def _against_helm(given: Settings, tools: Callable[[str], bool]) -> Iterator[str]:
    repository = text(given.get("chart_repo_url")).strip()
    if given.get("action") == "push" and repository and "${{" not in repository:
        if why := refusal(repository):
            yield why
        elif uploads(repository) and not tools("curl"):
            yield "to push a chart this machine needs curl; install it"
    if given.get("kube_context") and given.get("commands") and not tools("kubectl"):
        yield "its `commands` and `kube_context` need kubectl; install it"
