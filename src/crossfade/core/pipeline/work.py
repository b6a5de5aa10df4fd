"""What a run of a step does, as every type of step says it."""

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.json_value import Json
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import MAIN_CLONE, Settings

VOLUME = "/codefresh/volume"
"""The workspace, as steps see it."""
KUBECONFIG = f"{VOLUME}/sensitive/.kube/config"
"""Where a step finds the clusters of the fleet."""


IMAGE_DIRECTORY = "IMAGE_WORK_DIR"
"""As a `working_directory`: where the image says."""


class CannotRun(ValueError):
    """Nothing can be run as this step says; the text tells why."""


class Access(StrEnum):
    """What a run is given beside the variables of the build."""

    NONE = "none"
    FLEET = "fleet"
    """A kubeconfig of the fleet, and the tools that read it."""
    HUB = "hub"
    """Our own commands on our own store; in place of the variables of the build."""


@dataclass(frozen=True, slots=True)
class Inside:
    """How a step runs on the files of its image, in place of the machine's tools."""

    entry_point: tuple[str, ...] = ()
    """In place of the image's own, and of its command; empty: the image's own."""
    arguments: tuple[str, ...] = ()
    """In place of the image's command."""
    runs_script: bool = True
    """The script is run, and neither entry point nor command."""
    own_directory: bool = False
    """It starts where the image says."""
    contexts: tuple[str, ...] = ()
    """Known registries that go before others when the image is fetched."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one run does."""

    script: str
    shell: str
    directory: str
    image: str
    """"": built in; it sees the files of the machine."""
    members: Mapping[str, str] = field(default_factory=dict)
    """What others learn of the step."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """On top of the variables."""
    secrets: tuple[str, ...] = ()
    access: Access = Access.NONE
    inside: Inside | None = None
    """If its image is at hand; None: the tools of the machine stand for any image."""
    composition: Composition | None = None
    """Services beside the script, or what runs in its place."""
    volumes: tuple[tuple[str, str], ...] = ()
    """Folders of the workspace, and where else the step sees them."""
    tells: Mapping[str, str] = field(default_factory=dict)
    """Exports that nobody else is to see, and the members of the step that they become."""
    integration: str = ""
    """Whose key it reaches repositories with, "" for that of the user."""
    registry: str = ""
    """The OCI registry that it is to be somebody in, as `registry.example.com/charts`."""


def text(value: Json) -> str:
    """Return a setting as a text, "" when it is not given."""
    return "" if value is None else str(value)


def base_directory(context: Context) -> str:
    """Return where steps run that do not say where: in the main clone if there is one."""
    main = context.step(MAIN_CLONE)
    found = None if main is None else main.get("self")
    return found if isinstance(found, str) else VOLUME


def words_of(value: Json) -> tuple[str, ...]:
    """Return the words of a command: a list as it is, a text as a shell would read it."""
    if isinstance(value, list):
        return tuple(text(each) for each in value)
    return tuple(shlex.split(text(value)))


def directory_of(settings: Settings, context: Context) -> str:
    """Return the folder that a step runs in; what is relative is below the main clone."""
    given = text(settings.get("working_directory")).strip()
    if given in ("", IMAGE_DIRECTORY):
        return base_directory(context)
    return posixpath.normpath(posixpath.join(base_directory(context), given))
