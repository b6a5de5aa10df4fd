"""What sources of metrics have in common: credentials, and refusals of what they cannot do."""

import base64
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import assert_never

from crossfade.base.errors import InputError, Unavailable
from crossfade.base.secrets import Secret
from crossfade.core.analysis.sources import Basic, Bearer, Credentials, Header
from crossfade.ports.measurements import Ability, Point, Span
from crossfade.ports.secrets import Secrets


async def authorization(
    credentials: Credentials | None, secrets: Secrets
) -> tuple[dict[str, str], tuple[Secret, ...]]:
    """Return the headers that carry the credentials, and what in them must not be shown."""
    match credentials:
        case None:
            return {}, ()
        case Bearer(token):
            secret = await secrets.resolve(token)
            return {"Authorization": f"Bearer {secret.reveal()}"}, (secret,)
        case Basic(user, password):
            secret = await secrets.resolve(password)
            pair = Secret(f"{user}:{secret.reveal()}")
            encoded = base64.b64encode(pair.reveal().encode()).decode()
            return {"Authorization": f"Basic {encoded}"}, (secret, pair)
        case Header(name, value):
            secret = await secrets.resolve(value)
            return {name: secret.reveal()}, (secret,)
        case _:
            assert_never(credentials)


@contextmanager
def read_from(who: str) -> Iterator[None]:
    """Turn what an answer of an unforeseen form does to its reader into Unavailable."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise Unavailable(
            f"an answer of {who} cannot be read: {type(error).__name__}: {error}",
            hint=f"is it really {who} at the address? a proxy in between may change answers",
        ) from error


def unable(ability: Ability, who: str) -> InputError:
    """Return the error for what the source cannot be asked for."""
    return InputError(
        f"{who} cannot be asked for {ability}",
        hint="counts come from gateways and Prometheus, series also from Datadog and CloudWatch",
    )


def wrong_query(query: object, who: str) -> InputError:
    """Return the error for a query of another kind of source."""
    return InputError(
        f"{who} cannot be asked a {type(query).__name__}",
        hint="give the metric the source that its query is written for",
    )


def not_one(found: int, who: str) -> InputError:
    """Return the error for several series where one was needed."""
    return InputError(
        f"the query gives {found} series of {who}, where one is needed",
        hint="put them together, for example with sum(...)",
    )


def in_steps(points: Iterable[tuple[float, float]], span: Span) -> tuple[Point, ...]:
    """Return the span's points: each the mean of what was measured within its step, or NaN."""
    found: list[list[float]] = [[] for _ in span.times]
    for at, value in points:
        # A hundredth of a step is left for timestamps that were rounded.
        index = math.floor((at - span.start) / span.step_seconds + 0.01)
        if 0 <= index < len(found) and not math.isnan(value):
            found[index].append(value)
    pairs: Sequence[tuple[float, list[float]]] = list(zip(span.times, found, strict=True))
    return tuple(Point(at, fmean(values) if values else math.nan) for at, values in pairs)
