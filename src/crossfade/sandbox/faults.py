"""What is wrong with a cloud on purpose, besides being killed or stopped."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from crossfade.base.files import write_json


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults that a cloud's own processes bring about; they last until they are taken back."""

    slow_ms: int = 0
    """Delay of each API answer to callers from outside and of each user request."""
    api_partition: bool = False
    """The Kubernetes API does not answer callers from outside; users and controllers go on."""
    full: bool = False
    """The node has no CPU and no memory left for further pods."""
    evicted: bool = False
    """The node is taken away: its pods have got notice, and it takes no others."""
    blackout: bool = False
    """The node and the gateway are dead; the API server lives on, and nobody has told it."""


def write(folder: Path, faults: Faults) -> None:
    """Ask the cloud in `folder` for these faults."""
    write_json(folder / "faults.json", asdict(faults))


def read(folder: Path) -> Faults:
    """Return the faults that are asked for; none when nothing is written."""
    return _read(folder / "faults.json")


def confirm(folder: Path, faults: Faults) -> None:
    """Say that these faults are in force (called by the cloud)."""
    write_json(folder / "faults.confirmed.json", asdict(faults))


def confirmed(folder: Path) -> Faults:
    """Return the faults that the cloud has last said to be in force."""
    return _read(folder / "faults.confirmed.json")


def _read(path: Path) -> Faults:
    try:
        return Faults(**json.loads(path.read_text()))
    except FileNotFoundError:
        return Faults()
