"""A pipeline as it is planned and run: what a checked document says, with defaults filled in."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.json_value import Json

Settings = dict[str, Json]
"""What a step of some type does; texts may hold references."""


LONGEST_WAIT_SECONDS = 7 * 86400.0
"""Between two attempts."""


class Mode(StrEnum):
    """How the steps of a block start."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


class Hook(StrEnum):
    """When the steps of a hook run."""

    ELECTED = "on_elected"
    SUCCESS = "on_success"
    FAIL = "on_fail"
    FINISH = "on_finish"


@dataclass(frozen=True, slots=True)
class Condition:
    """Expressions by name: all of `every` and any of `some` must be true."""

    every: Mapping[str, str] = field(default_factory=dict)
    some: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that is waited for, and the results that will do."""

    step: str
    results: tuple[str, ...] = ("success",)


@dataclass(frozen=True, slots=True)
class When:
    """What must hold for a step to run: branch, steps and condition, all of them."""

    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    steps: tuple[Wanted, ...] = ()
    any_step: bool = False
    """One of the steps is enough."""
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failing step is tried, and how long is waited before."""

    attempts: int = 1
    delay_seconds: float = 5.0
    exponent: float = 1.0

    def wait_seconds(self, failed: int) -> float:
        """Return the wait after so many failed attempts: each is the one before to a power."""
        wait = self.delay_seconds
        for _ in range(min(failed, 20) if self.exponent != 1 else 0):
            if wait > 1 and self.exponent * math.log(wait) > math.log(LONGEST_WAIT_SECONDS):
                return LONGEST_WAIT_SECONDS
            wait = wait**self.exponent
        return min(wait, LONGEST_WAIT_SECONDS)


@dataclass(frozen=True, slots=True)
class Approval:
    """How long an approval is waited for, and what it then counts as."""

    seconds: float = 168 * 3600.0
    final: str = "terminated"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What decides the result of a group, or of the pipeline."""

    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Steps that belong together."""

    steps: "tuple[Step, ...]"
    mode: Mode = Mode.SEQUENTIAL
    fail_fast: Json = None
    """A flag, or a text with a variable; None: as the steps say."""
    strict: Json = None
    notes: Settings = field(default_factory=dict)
    """`metadata` and `annotations` of a hook."""
    first: int = 0
    """So many of its steps come before all others, in their order, whatever the mode."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a typed step has that others have not."""

    arguments: Settings = field(default_factory=dict)
    """Variables inside of its steps; texts may hold references."""
    returns: tuple[str, ...] | None = None
    """The exports of its steps that others see; None: all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    name: str
    type: str = "freestyle"
    """Without its version."""
    version: str = ""
    title: str = ""
    stage: str = ""
    settings: Settings = field(default_factory=dict)
    when: When | None = None
    fail_fast: Json = None
    """A flag, or a text with a variable; None: as the pipeline says."""
    strict: Json = None
    retry: Retry = field(default_factory=Retry)
    timeout_seconds: float | None = None
    """For each attempt, from its start; None: none."""
    approval: Approval | None = None
    block: Block | None = None
    """What runs inside a parallel step, or is a typed step."""
    plugin: Plugin | None = None
    criteria: Criteria | None = None
    hooks: Mapping[Hook, Block] = field(default_factory=dict)
    left_out: bool = False
    """It is skipped, as whoever started the build has asked."""
    main: bool = False
    """It clones what the build is about, or brings the folder that is given in its place."""
    line: int = 0
    """Where it stands in the file."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole document."""

    block: Block
    stages: tuple[str, ...] = ()
    criteria: Criteria | None = None
    hooks: Mapping[Hook, Block] = field(default_factory=dict)
    services: Json = None
    """Of the whole build."""
    services_line: int = 0
    build_version: str = "v2"
    name: str = ""
    """`project/pipeline` of the CRD form."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the CRD form."""
    secrets: tuple[str, ...] = ()
    """Names of the variables that are not shown."""
    spec: Settings = field(default_factory=dict)
    """The rest of the CRD form: triggers, policies, contexts."""


MAIN_CLONE = "main_clone"


_OWN_REPOSITORY = re.compile(r"\$\{\{\s*CF_REPO_OWNER\s*\}\}/\$\{\{\s*CF_REPO_NAME\s*\}\}")


def with_main_clone(pipeline: Pipeline, repository: str = "") -> Pipeline:
    """
    Return the pipeline with the clone that a trigger implies, unless it has one of its own.

    Its own is the step `main_clone`, else the first one that clones the repository of the build:
    `repository`, as `owner/name`, or what the system variables say.
    """
    steps = pipeline.block.steps
    own = next((step for step in steps if step.name == MAIN_CLONE), None)
    own = own or next((step for step in steps if _clones(step, repository)), None)
    if own is not None:
        marked = tuple(replace(step, main=True) if step is own else step for step in steps)
        return replace(pipeline, block=replace(pipeline.block, steps=marked))
    clone = Step(
        MAIN_CLONE,
        main=True,
        type="git-clone",
        title="Cloning main repository",
        settings={
            "repo": "${{CF_REPO_CLONE_URL}}",
            "revision": "${{CF_REVISION}}",
            "git": "${{CF_GIT_INTEGRATION}}",
        },
    )
    return replace(pipeline, block=replace(pipeline.block, steps=(clone, *steps)))


def _clones(step: Step, repository: str) -> bool:
    written = step.settings.get("repo")
    if step.type != "git-clone" or not isinstance(written, str):
        return False
    given = written.strip().rstrip("/").removesuffix(".git")
    if _OWN_REPOSITORY.search(given):
        return True
    last = "/".join(given.replace(":", "/").split("/")[-2:])
    return bool(repository) and last.lower() == repository.lower()
