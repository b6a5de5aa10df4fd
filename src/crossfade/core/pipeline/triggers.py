"""Which triggers of a pipeline an event fires, and why the others stay quiet."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.pipeline.commit_status import PROVIDERS, Commit
from crossfade.core.pipeline.conditions import names_branch
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.git_events import GitEvent, PullRequest, variables_of_event
from crossfade.core.pipeline.globs import fits_glob
from crossfade.core.pipeline.shared_configuration import contexts_of
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.rollout.freeze import next_time

SKIP_TOKENS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip codefresh]", "[codefresh skip]")
_COMMENTS = ("pullrequest.commentAdded", "pullrequest.commentAddedUnrestricted")
_CLOSED = ("pullrequest.merged", "pullrequest.unmerged-closed")
_PROVIDERS = ("github", "gitlab", "bitbucket", "gitea")
_HOSTS = {"gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}


class Kind(StrEnum):
    """What a trigger listens to."""

    GIT = "git"
    CRON = "cron"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger of a pipeline."""

    name: str
    kind: Kind
    disabled: bool = False
    variables: tuple[Variable, ...] = ()
    repository: str = ""
    """owner/name; of a registry the image without its tag."""
    provider: str = ""
    """"": any."""
    context: str = ""
    """The integration that it belongs to, "" for any."""
    events: tuple[str, ...] = ()
    branches: str = ""
    """A name or `/regex/flags` of branches and tags; "": all."""
    targets: str = ""
    """The same of the branches that pull requests go into."""
    comments: str = ""
    files: str = ""
    """A glob: one changed file that fits is enough."""
    forks: bool = False
    calendar: str = ""
    """When it is due, as cron writes it."""
    zone: str = "UTC"
    message: str = ""
    clone_url: str = ""
    """Where the repository is cloned from by builds that no event has told it."""
    title: str = ""
    """Of the statuses of its commits."""
    api: str = ""
    """Address of the API of the git server, "" for the public one."""
    comment: bool = False
    """Whether pull requests get a comment with the result."""
    shared: tuple[str, ...] = ()
    """Shared configurations of its builds, beside those of the pipeline."""


@dataclass(frozen=True, slots=True)
class Push:
    """An image that was pushed to a registry."""

    image: str
    """Without its tag."""
    tag: str
    by: str = ""
    at: str = ""


def triggers_of(spec: Settings) -> tuple[Trigger, ...]:
    """Return the triggers of a pipeline.  Raises InputError."""
    found = []
    for key in ("triggers", "cronTriggers"):
        listed = spec.get(key)
        if listed is not None and not isinstance(listed, list):
            raise _wrong(key, listed, "a list of triggers")
        for index, each in enumerate(listed or ()):
            where = f"{key}[{index}]"
            if not isinstance(each, dict):
                raise _wrong(where, each, "a mapping with type, name and more")
            shared = contexts_of(each, f"spec.{where}")
            found.append(replace(_trigger(each, where), shared=shared))
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two triggers are called {name}", hint="give each its own name")
    return tuple(found)


def _trigger(given: Settings, where: str) -> Trigger:
    name, kind = str(given.get("name") or ""), given.get("type")
    if not name:
        raise _wrong(f"{where}.name", given.get("name"), "a name")
    if kind not in tuple(Kind):
        raise _wrong(f"{where}.type", kind, ", ".join(Kind))
    common = Trigger(
        name,
        Kind(str(kind)),
        given.get("disabled") is True,
        _variables(given.get("variables"), where),
        context=_text(given, "context"),
    )
    match common.kind:
        case Kind.GIT:
            return _git(common, given, where)
        case Kind.CRON:
            return _cron(common, given, where)
        case Kind.REGISTRY:
            return _registry(common, given, where)


def _git(common: Trigger, given: Settings, where: str) -> Trigger:
    events = given.get("events")
    provider = _text(given, "provider")
    if not isinstance(events, list) or not events:
        raise _wrong(f"{where}.events", events, "a list, as [push.heads, pullrequest.opened]")
    if provider and _family(provider) not in _PROVIDERS:
        raise _wrong(f"{where}.provider", provider, ", ".join(_PROVIDERS))
    if "/" not in _text(given, "repo"):
        raise _wrong(f"{where}.repo", given.get("repo"), "owner/name")
    return Trigger(
        common.name,
        common.kind,
        common.disabled,
        common.variables,
        _text(given, "repo"),
        _family(provider),
        common.context,
        tuple(map(str, events)),
        _text(given, "branchRegex"),
        _text(given, "pullRequestTargetBranchRegex"),
        _text(given, "commentRegex"),
        _text(given, "modifiedFilesGlob"),
        given.get("pullRequestAllowForkEvents") is True,
        clone_url=_text(given, "cloneUrl"),
        title=_text(given, "commitStatusTitle"),
        api=_text(given, "apiUrl"),
        comment=given.get("pullRequestComment") is True,
    )


def _family(provider: str) -> str:
    """Return the provider, `github` for `github-enterprise` and the like."""
    return provider.lower().partition("-")[0]


def _cron(common: Trigger, given: Settings, where: str) -> Trigger:
    calendar, zone = _text(given, "expression"), _text(given, "timezone") or "UTC"
    try:
        next_time(calendar, zone, 0.0)
    except InputError as error:
        raise InputError(f"spec.{where}: {error}", hint=error.hint) from error
    return Trigger(
        common.name,
        common.kind,
        common.disabled,
        common.variables,
        calendar=calendar,
        zone=zone,
        message=_text(given, "message"),
    )


def _registry(common: Trigger, given: Settings, where: str) -> Trigger:
    if not _text(given, "image"):
        raise _wrong(f"{where}.image", given.get("image"), "the name of an image, without its tag")
    return Trigger(
        common.name,
        common.kind,
        common.disabled,
        common.variables,
        _text(given, "image"),
        context=common.context,
        branches=_text(given, "tagRegex"),
    )


def _variables(given: Json, where: str) -> tuple[Variable, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise _wrong(f"{where}.variables", given, "a list of key, value and encrypted")
    found = []
    for each in given:
        if not isinstance(each, dict) or not each.get("key"):
            raise _wrong(f"{where}.variables", each, "key, value and encrypted")
        value = each.get("value")
        plain = str(value).lower() if isinstance(value, bool) else str(value or "")
        hidden = each.get("encrypted") in (True, "true")
        found.append(Variable(str(each["key"]), plain, Source.TRIGGER, hidden))
    return tuple(found)


def _text(given: Settings, key: str) -> str:
    value = given.get(key)
    return "" if value is None else str(value)


def _wrong(where: str, value: Json, allowed: str) -> InputError:
    return InputError(f"spec.{where} is not allowed: {value!r}", hint=f"allowed: {allowed}")


def quiet(trigger: Trigger, event: GitEvent) -> str:
    """Return why the event does not fire the trigger, "" when it does."""
    if trigger.kind is not Kind.GIT or trigger.repository.lower() != event.repository.lower():
        return "it listens to another repository"
    if trigger.disabled:
        return "it is disabled"
    if trigger.provider and trigger.provider != event.provider:
        return f"it listens to {trigger.provider}"
    if not any(_covers(each, event) for each in trigger.events):
        return f"it does not listen to {event.name}"
    return _skipped(event) or _filtered(trigger, event)


def _covers(wanted: str, event: GitEvent) -> bool:
    if event.name == _COMMENTS[0]:
        trusted = event.pull is not None and event.pull.trusted
        return wanted == _COMMENTS[1] or (trusted and wanted in (_COMMENTS[0], "pullrequest"))
    if wanted == "pullrequest.closed":
        return event.name in _CLOSED
    return event.name == wanted or event.name.startswith(f"{wanted}.")


def _skipped(event: GitEvent) -> str:
    said = f"{event.message}\n{event.pull.title if event.pull else ''}".lower()
    token = next((each for each in SKIP_TOKENS if each in said), None)
    return f"the commit says {token}" if token else ""


def _filtered(trigger: Trigger, event: GitEvent) -> str:
    meter = Meter()
    if trigger.branches and not names_branch(trigger.branches, event.branch, meter):
        return f"{event.branch or 'nothing'} is not among its branches"
    if event.pull is not None:
        why = _pull_filtered(trigger, event.pull, meter)
        if why:
            return why
    unknown = event.files is None or not trigger.files
    if unknown or any(fits_glob(trigger.files, each, meter) for each in event.files or ()):
        return ""
    return f"no changed file fits {trigger.files}"


def _pull_filtered(trigger: Trigger, pull: PullRequest, meter: Meter) -> str:
    if pull.fork and not trigger.forks:
        return "it takes no pull requests of forks"
    if trigger.targets and not names_branch(trigger.targets, pull.target, meter):
        return f"{pull.target} is not among the branches that it takes pull requests into"
    if (
        pull.comment
        and trigger.comments
        and not names_branch(trigger.comments, pull.comment, meter)
    ):
        return "the comment is not one that it listens to"
    return ""


def pushed(trigger: Trigger, push: Push) -> bool:
    """Return whether a pushed image fires the trigger."""
    if trigger.kind is not Kind.REGISTRY or trigger.disabled or trigger.repository != push.image:
        return False
    return not trigger.branches or names_branch(trigger.branches, push.tag, Meter())


def due(trigger: Trigger, since: float, now: float) -> float | None:
    """
    Return the newest time after `since` at which a cron trigger was due, None when it was not.

    Times that nobody was there for are made up for once, not each of them.
    """
    if trigger.kind is not Kind.CRON or trigger.disabled:
        return None
    found, at = None, next_time(trigger.calendar, trigger.zone, since)
    if at is None or at > now:
        return None
    # Far behind, the newest is looked for near now, as there may be very many.
    for back in (60.0, 3600.0, 86400.0, 32 * 86400.0, 367 * 86400.0, math.inf):
        start = max(since, now - back)
        at = next_time(trigger.calendar, trigger.zone, start)
        while at is not None and at <= now:
            found, at = at, next_time(trigger.calendar, trigger.zone, at)
        if found is not None:
            return found
    return None


def variables_of_push(push: Push) -> dict[str, str]:
    """Return what a build learns of a pushed image."""
    namespace, _, name = push.image.rpartition("/")
    found = {
        "EVENT_NAMESPACE": namespace,
        "EVENT_NAME": name,
        "EVENT_TAG": push.tag,
        "EVENT_PUSHER": push.by,
        "EVENT_PUSHED_AT": push.at,
    }
    return {key: value for key, value in found.items() if value}


def variables_by_hand(trigger: Trigger, branch: str) -> dict[str, str]:
    """Return what a build learns that somebody asks for in place of the trigger's event."""
    if trigger.kind is not Kind.GIT:
        return {"EVENT_MESSAGE": trigger.message} if trigger.message else {}
    host = _HOSTS.get(trigger.provider, "github.com")
    url = trigger.clone_url or f"https://{host}/{trigger.repository}.git"
    name = GitEvent("push.heads", trigger.provider, trigger.repository, url, branch, branch)
    integration = trigger.context or trigger.provider or "github"
    return variables_of_event(name) | {"CF_GIT_INTEGRATION": integration}


def commit_of(pipeline: str, trigger: Trigger, event: GitEvent) -> Commit | None:
    """Return the commit whose server is told how the build stands, None when none is."""
    if event.provider not in PROVIDERS or not event.revision:
        return None
    return Commit(
        event.provider,
        event.repository,
        event.revision,
        trigger.title or f"{pipeline}/{trigger.name}",
        trigger.context or event.provider,
        event.pull.number if event.pull else 0,
        trigger.api,
        trigger.comment,
    )
