"""
Which of the builds that wait may begin, and which are to end because of others.

Pure, and asked again whenever something has changed: it follows from what there is, so that
whoever is killed in between changes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.pipeline.conditions import names_branch
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.variables import as_flag

HIGHEST_PRIORITY = 100
PREDECESSOR = "cf_predecessor"
"""The annotation that names the build which has started a build."""


class Stage(StrEnum):
    """Where a build is in its life."""

    WAITING = "waiting"
    """Nothing of it has begun."""
    RUNNING = "running"
    ASKING = "asking"
    """It waits for people only."""
    ENDING = "ending"
    """It has been told to end."""
    TERMINATED = "terminated"
    OVER = "over"
    """It has ended by itself."""


@dataclass(frozen=True, slots=True)
class Previous:
    """Which older builds of a pipeline end when a new one is made."""

    any_branch: bool = False
    any_trigger: bool = False
    branch: str = ""
    """Only builds of this one, a name or `/regex/flags`; "": of the new build's own."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What a pipeline says about its builds beside each other."""

    at_once: int | None = None
    """Builds at a time; 0: none, it is frozen; None: as many as come."""
    at_once_by_trigger: int | None = None
    at_once_by_branch: int | None = None
    asking_counts: bool = True
    """Whether builds that wait for people take a place."""
    priority: int = 0
    previous: tuple[Previous, ...] = ()
    children: bool = False
    """Whether builds that a build has started end when it is terminated."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A build, as far as others are concerned."""

    number: int
    """Later builds have greater ones."""
    pipeline: str
    stage: Stage
    trigger: str = ""
    branch: str = ""
    parent: int | None = None
    """The build that has started it."""
    again: bool = False
    """A person had it begin again: then it is not older than others."""


def policies_of(spec: Settings) -> Policies:
    """Return what the spec of a pipeline says.  Raises InputError."""
    options = spec.get("options")
    counts = options.get("pendingApprovalConcurrencyApplied") if isinstance(options, dict) else None
    rules = spec.get("terminationPolicy")
    listed = rules if isinstance(rules, list) else []
    if rules is not None and not isinstance(rules, list):
        raise _wrong("terminationPolicy", rules, "a list of rules")
    return Policies(
        _limit(spec, "concurrency"),
        _limit(spec, "triggerConcurrency"),
        _limit(spec, "branchConcurrency"),
        counts is not False,
        _priority(spec.get("priority")),
        tuple(each for rule in listed if (each := _previous(rule)) is not None),
        any(_is_for_children(rule) for rule in listed),
    )


def _limit(spec: Settings, key: str) -> int | None:
    value = spec.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(key, value, "how many builds run at once, 0 for none")
    return value


def _priority(value: Json) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > HIGHEST_PRIORITY:
        raise _wrong("priority", value, f"a whole number from -{HIGHEST_PRIORITY} to 100")
    return value


def _previous(rule: Json) -> Previous | None:
    if _is_for_children(rule):
        return None
    if not isinstance(rule, dict) or (rule.get("type"), rule.get("event")) != (
        "branch",
        "onCreate",
    ):
        allowed = (
            f"type branch on onCreate, or type annotation with key {PREDECESSOR} on onTerminate"
        )
        raise _wrong("terminationPolicy", rule, allowed)
    branch = rule.get("branchName")
    return Previous(
        rule.get("ignoreBranch") is True,
        rule.get("ignoreTrigger") is True,
        "" if branch is None else str(branch),
    )


def _is_for_children(rule: Json) -> bool:
    return isinstance(rule, dict) and (rule.get("type"), rule.get("event"), rule.get("key")) == (
        "annotation",
        "onTerminate",
        PREDECESSOR,
    )


def _wrong(key: str, value: Json, allowed: str) -> InputError:
    return InputError(f"spec.{key} is not allowed: {value!r}", hint=f"allowed: {allowed}")


def admitted(entries: Sequence[Entry], policies: Mapping[str, Policies]) -> tuple[int, ...]:
    """Return the builds that wait and may begin now: by priority, then the oldest first."""
    default = Policies()
    taken = Counter[tuple[str, ...]]()
    for each in entries:
        rules = policies.get(each.pipeline, default)
        if each.stage in (Stage.RUNNING, Stage.ENDING) or (
            each.stage is Stage.ASKING and rules.asking_counts
        ):
            taken.update(place for place, _ in _places(each, rules))
    waiting = [each for each in entries if each.stage is Stage.WAITING]
    waiting.sort(key=lambda e: (-policies.get(e.pipeline, default).priority, e.number))
    found = []
    for each in waiting:
        places = _places(each, policies.get(each.pipeline, default))
        if all(most is None or taken[place] < most for place, most in places):
            taken.update(place for place, _ in places)
            found.append(each.number)
    return tuple(found)


def _places(each: Entry, rules: Policies) -> tuple[tuple[tuple[str, ...], int | None], ...]:
    """Return what a build takes a place of, and how many places there are."""
    return (
        ((each.pipeline,), rules.at_once),
        ((each.pipeline, "trigger", each.trigger), rules.at_once_by_trigger),
        ((each.pipeline, "branch", each.branch), rules.at_once_by_branch),
    )


def unwanted(entries: Sequence[Entry], policies: Mapping[str, Policies]) -> dict[int, str]:
    """Return the builds that are to end, each with the reason."""
    default = Policies()
    found: dict[int, str] = {}
    ended = {e.number: e for e in entries if e.stage in (Stage.ENDING, Stage.TERMINATED)}
    under_way = (Stage.WAITING, Stage.RUNNING, Stage.ASKING)
    for each in entries:
        if each.stage not in under_way:
            continue
        parent = ended.get(each.parent) if each.parent is not None else None
        if parent is not None and policies.get(parent.pipeline, default).children:
            found[each.number] = f"build {parent.number}, which has started it, was ended"
        newer = _newer(each, entries, policies.get(each.pipeline, default))
        if newer is not None:
            found[each.number] = f"build {newer} has taken its place"
    return found


def _newer(old: Entry, entries: Sequence[Entry], rules: Policies) -> int | None:
    """Return a build that was made later and ends this one."""
    if not rules.previous or old.again:
        return None
    for new in entries:
        later = new.number > old.number and new.pipeline == old.pipeline
        if later and any(_covers(rule, old, new) for rule in rules.previous):
            return new.number
    return None


def _covers(rule: Previous, old: Entry, new: Entry) -> bool:
    if not rule.any_trigger and old.trigger != new.trigger:
        return False
    if rule.branch:
        return names_branch(rule.branch, old.branch)
    return rule.any_branch or old.branch == new.branch


def resets_volume(spec: Settings) -> bool:
    """Return whether each build of a pipeline begins in an empty workspace."""
    options = spec.get("options")
    given = options.get("resetVolume") if isinstance(options, dict) else None
    return as_flag(given, default=False)
