"""What every implementation of the Charts port does."""

from pathlib import Path

import pytest

from crossfade.base.errors import InputError
from crossfade.core.application import Source

COLORS = Path(__file__).parents[2] / "examples/colors/deploy/helm/colors"


async def test_the_same_chart_gives_the_same_bytes(charts):
    first = await charts.pack(Source(str(COLORS)))
    assert await charts.pack(Source(str(COLORS))) == first
    assert first.name.startswith("colors-")


async def test_a_chart_that_is_not_there_is_refused_with_a_hint(charts, tmp_path):
    with pytest.raises(InputError) as raised:
        await charts.pack(Source(str(tmp_path / "nothing")))
    assert raised.value.hint


async def test_objects_are_named_after_the_release(charts):
    packed = await charts.pack(Source(str(COLORS)))
    rendered = await charts.render(packed.data, "colors-r1234567", "default", {})
    services = [each for each in rendered if each["kind"] == "Service"]
    assert [each["metadata"]["name"] for each in services] == ["colors-r1234567"]


async def test_bytes_that_are_no_chart_are_refused(charts):
    with pytest.raises(InputError):
        await charts.render(b"no chart", "colors-r1234567", "default", {})
