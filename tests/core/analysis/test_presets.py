"""Counters that gateways and meshes already have."""

import pytest

from crossfade.core.analysis.presets import Arm, Place, Preset, counters

CANARY, STABLE = Arm("r2222222", "colors-r2222222", 1), Arm("r1111111", "colors-r1111111", 0)
PLACE = Place("aws", "shop", "colors", {"cluster": "aws-1"})


@pytest.mark.parametrize("preset", Preset)
def test_raw_counters_are_asked_for_so_that_windows_never_overlap(preset):
    query = counters(preset, PLACE, (CANARY, STABLE), (0.25, 1.0))
    for series in (*query.requests, *query.latency):
        assert "rate(" not in series.selector
        assert "increase(" not in series.selector
        assert series.arm_label in series.selector
        assert "{{arms}}" in series.selector
        assert 'cluster="aws-1"' in series.selector
    assert set(query.arms.values()) == {"r2222222", "r1111111"}
    assert all("_bucket" in series.selector for series in query.latency)


@pytest.mark.parametrize("preset", Preset)
def test_without_latency_edges_no_histogram_is_read(preset):
    assert counters(preset, PLACE, (CANARY,)).latency == ()


def test_istio_counts_at_the_client_so_that_what_never_arrived_is_an_error():
    query = counters(Preset.ISTIO, PLACE, (CANARY,))
    assert query.requests[0].selector == (
        'istio_requests_total{reporter="source", destination_service_namespace="shop",'
        ' destination_service_name=~"{{arms}}", cluster="aws-1"}'
    )
    assert (query.failed_label, query.failed_pattern) == ("response_code", "5..|0")


def test_nginx_is_read_with_and_without_honoured_labels():
    one, two = counters(Preset.NGINX, PLACE, (CANARY,)).requests
    assert 'exported_namespace="shop", exported_service=~"{{arms}}"' in one.selector
    assert '{namespace="shop", service=~"{{arms}}"' in two.selector


def test_backends_of_envoy_gateway_are_told_apart_by_their_position():
    arms = counters(Preset.ENVOY_GATEWAY, PLACE, (CANARY, STABLE)).arms
    assert arms == {
        "httproute/shop/colors/rule/0/backend/1": "r2222222",
        "httproute/shop/colors/rule/0/backend/0": "r1111111",
    }


def test_odd_label_values_cannot_break_out_of_the_selector():
    odd = Place("aws", "shop", labels={"zone": 'x"} or vector(1)'})
    (series, *_) = counters(Preset.ISTIO, odd, (CANARY,)).requests
    assert 'zone="x\\"} or vector(1)"' in series.selector
