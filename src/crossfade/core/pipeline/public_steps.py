"""Public steps that stand on no definition: what they do here, or why they do nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from crossfade.core.pipeline import committing, messages, publishing, replacing
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.work import Work

_OWN = "give a definition of your own with --steps, or leave the step out"


@dataclass(frozen=True, slots=True)
class PublicStep:
    """One of them."""

    work: Callable[[Settings, Context], Work]
    """Raises CannotRun."""
    against: Callable[[Settings], Iterator[str]]
    """What stands against such a step before anything runs."""
    tools: tuple[str, ...]


_STEPS: Mapping[str, PublicStep] = {
    "k8s-canary-deployment": PublicStep(replacing.canary, replacing.against_canary, ("kubectl",)),
    "k8s-blue-green-deployment": PublicStep(
        replacing.blue_green, replacing.against_blue_green, ("kubectl",)
    ),
    "slack-notifier": PublicStep(messages.slack, messages.against_slack, ("curl",)),
    "github-pr-comment": PublicStep(messages.comment, messages.against_comment, ("curl",)),
    "git-commit": PublicStep(committing.commit, committing.against_commit, ("git",)),
    "npm-publish": PublicStep(publishing.npm, publishing.against_npm, ("npm", "node")),
    "test-reporting": PublicStep(publishing.report, publishing.against_report, ()),
}
_MEANINGLESS = {
    "codefresh-report-image": "it reports to the service of Codefresh, which is not there",
    "multiarch-manifester": "images for several platforms are not supported",
}


def public_step(kind: str) -> PublicStep | None:
    """Return what a type of step does, None when it is none of these; any account may be named."""
    return _STEPS.get(kind.rpartition("/")[2])


def meaningless(kind: str) -> str:
    """Return why a step of this type can mean nothing here, "" when nobody knows it."""
    why = _MEANINGLESS.get(kind.rpartition("/")[2], "")
    return f"{kind} is not supported: {why}; {_OWN}" if why else ""
