"""Label and field selectors."""

import pytest


@pytest.fixture
def found(api, maps):
    """Say which of four ConfigMaps a label selector finds."""
    for name, labels in (
        ("a", {"suite": "s", "tier": "web", "rank": "1"}),
        ("b", {"suite": "s", "tier": "db", "rank": "2"}),
        ("c", {"suite": "s", "tier": "cache"}),
        ("d", {"suite": "s"}),
    ):
        api.ok("POST", maps, {"metadata": {"name": name, "labels": labels}})

    def select(selector: str) -> str:
        items = api.get(maps, labelSelector=f"suite=s,{selector}")["items"]
        return "".join(item["metadata"]["name"] for item in items)

    return select


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=web", "a"),
        ("tier==web", "a"),
        ("tier!=web", "bcd"),
        ("tier in (web,db)", "ab"),
        ("tier in ( web , db )", "ab"),
        ("tier notin (web, db)", "cd"),
        ("tier", "abc"),
        ("!tier", "d"),
        ("tier,rank!=1", "bc"),
        ("rank>1", "b"),
        ("rank<2", "a"),
        ("tier=", ""),
        ("none=x", ""),
    ],
)
def test_label_selectors_select(found, selector, names):
    assert found(selector) == names


@pytest.mark.parametrize("selector", ["tier in web", "a=b=c", "tier in (x", "=x", "!a=b", "a b"])
def test_selectors_that_cannot_be_read_are_refused(api, maps, selector):
    api.refused(400, "GET", maps, params={"labelSelector": selector})


def test_field_selectors_select_by_name(api, maps):
    for name in ("a", "b"):
        api.ok("POST", maps, {"metadata": {"name": name, "labels": {"suite": "s"}}})

    def names(selector: str) -> list[str]:
        items = api.get(maps, fieldSelector=selector, labelSelector="suite=s")["items"]
        return [item["metadata"]["name"] for item in items]

    assert names("metadata.name=a") == ["a"]
    assert names("metadata.name!=a") == ["b"]
    assert names("metadata.name=a,metadata.namespace=other") == []


def test_field_selectors_know_pods_secrets_and_events(api, namespace, pod_spec):
    pods = f"/api/v1/namespaces/{namespace}/pods"
    gated = pod_spec(schedulerName="nobody")
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": gated})
    for selector, count in (
        ("spec.nodeName=", 1),
        ("spec.nodeName=some", 0),
        ("status.phase=Pending", 1),
        ("status.phase!=Pending", 0),
        ("spec.schedulerName=nobody,spec.restartPolicy=Always", 1),
    ):
        assert len(api.get(pods, fieldSelector=selector)["items"]) == count, selector
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    api.ok("POST", secrets, {"metadata": {"name": "s"}, "type": "example.com/x"})
    assert len(api.get(secrets, fieldSelector="type=example.com/x")["items"]) == 1
    events = f"/api/v1/namespaces/{namespace}/events"
    about = {"kind": "Pod", "name": "p", "namespace": namespace, "uid": "u-1"}
    api.ok("POST", events, {"metadata": {"name": "e"}, "involvedObject": about, "reason": "R"})
    selector = "involvedObject.uid=u-1,involvedObject.kind=Pod"
    assert len(api.get(events, fieldSelector=selector)["items"]) == 1


def test_fields_that_select_nothing_are_refused(api, maps, namespace):
    for more in ({}, {"watch": "1"}):
        status = api.refused(400, "GET", maps, params={"fieldSelector": "data.x=1"} | more)
        told = '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"'
        assert status["message"] == told
    pods = f"/api/v1/namespaces/{namespace}/pods"
    status = api.refused(400, "GET", pods, params={"fieldSelector": "data.x=1"})
    assert status["message"] == "field label not supported: data.x"
