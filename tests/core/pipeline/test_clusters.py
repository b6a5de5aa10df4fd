"""Which clusters a pipeline may reach."""

import pytest

from crossfade.core.pipeline.clusters import reachable


@pytest.mark.parametrize(
    ("spec", "clusters"),
    [
        ({}, None),
        ({"clustersInfo": {"injectAll": True}}, None),
        ({"clustersInfo": {"injectAll": False}}, ()),
        ({"clustersInfo": {"injectAll": False, "available": ["gcp"]}}, ("gcp",)),
    ],
)
def test_a_pipeline_reaches_what_it_names_and_no_more(spec, clusters):
    assert reachable(spec) == clusters
