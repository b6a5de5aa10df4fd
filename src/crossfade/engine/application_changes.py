"""What an application file would change, for people who look before they apply it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from crossfade.base.ids import ClusterName
from crossfade.base.json_value import Json
from crossfade.core.application import Application
from crossfade.core.fleet.placement import placed
from crossfade.core.rollout.remarks import remarks
from crossfade.engine.commands import Commands
from crossfade.engine.difference import Difference

_PLAIN = re.compile(r"[\w-]+")
Written: TypeAlias = Callable[[Application], Mapping[str, Json]]
"""Says what the file of an application says."""
MOST = 200
"""Differences that are told one by one."""


@dataclass(frozen=True, slots=True)
class ApplicationChange:
    """What would become of an application of the file."""

    name: str
    change: str
    """`created`, `configured` or `unchanged`."""
    clusters: tuple[ClusterName, ...]
    """Where it would run."""
    remarks: tuple[str, ...]
    """What its author may not have expected."""
    differences: tuple[Difference, ...]
    more: int
    """So many differences are only counted."""


async def application_change(
    commands: Commands, wanted: Application, written: Written, *, force: bool = False
) -> ApplicationChange:
    """
    Return what applying it would do, in keys of the file.

    Raises as `Commands.apply`, and changes nothing.
    """
    change = await commands.would_apply(wanted, force=force)
    stored = await commands.records.find_application(wanted.name)
    fleet = [each.value for each in await commands.records.clusters()]
    mine = [each for each in fleet if placed(wanted.placement, each)]
    told = list(remarks(wanted.strategy, wanted.analysis, mine))
    if not mine:
        told.append("no cluster of the fleet carries the labels that it asks for")
    admitted = await commands.admitted(wanted)
    if admitted.survive and (admitted.unknown or not admitted.admission.survives):
        told.append(admitted.summary)
    before = dict(_flat("", dict(written(stored.value.spec)))) if stored else {}
    after = dict(_flat("", dict(written(wanted))))
    paths = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    found = [Difference(path, before.get(path), after.get(path)) for path in paths]
    if stored is None:
        found = []  # all of it is new
    clusters = tuple(each.name for each in mine)
    more = max(0, len(found) - MOST)
    return ApplicationChange(wanted.name, change, clusters, tuple(told), tuple(found[:MOST]), more)


def _under(path: str, key: str) -> str:
    if not _PLAIN.fullmatch(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


def _flat(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Yield all that is no mapping or list, with the way to it."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(_under(path, str(key)), inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _flat(f"{path}[{index}]", inner)
    else:
        yield path, value
