"""What clusters and edges may be called, and what clusters may be labelled with."""

import re
from collections.abc import Mapping

from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_KEY = re.compile(r"[!-<>-~]{1,317}")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-.\w]{0,61}[A-Za-z0-9])?)?", re.ASCII)


def cluster_name(text: str) -> ClusterName:
    """Return the text as the name of a cluster.  Raises InputError."""
    return ClusterName(_name(text, "a cluster"))


def edge_name(text: str) -> str:
    """Return the text as the name of an edge.  Raises InputError."""
    return _name(text, "an edge")


def is_name(text: str) -> bool:
    """Say whether a cluster may be called so."""
    return _NAME.fullmatch(text) is not None


def _name(text: str, of: str) -> str:
    if not is_name(text):
        raise InputError(
            f"this is no name for {of}",
            hint="take lower-case letters, digits and dashes (not first or last), at most 63",
            name=text,
        )
    return text


def is_label(key: str, value: str) -> bool:
    """Say whether a cluster may have this label."""
    return bool(_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value))


def labels(written: Mapping[str, str]) -> dict[str, str]:
    """Return the labels.  Raises InputError for one that is none."""
    for key, value in written.items():
        if not is_label(key, value):
            raise InputError(
                "this is no label",
                hint="keys have no spaces or `=`; values are letters, digits, `-`, `.`, `_`",
                label=f"{key}={value}",
            )
    return dict(written)
