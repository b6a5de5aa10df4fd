"""What is written into statuses."""

from crossfade.sandbox.gateway.attachment import Attachment, Condition
from crossfade.sandbox.gateway.config import Verdict
from crossfade.sandbox.gateway.status import conditions, route_status

PARENT = {"name": "public", "namespace": "infra"}
GOOD = Verdict(
    (Attachment(PARENT, Condition("Accepted", True, "Accepted"), ("a.test",)),),
    Condition("ResolvedRefs", True, "ResolvedRefs"),
)


def test_the_time_of_a_condition_moves_only_with_its_status():
    first = conditions([Condition("Accepted", True, "A")], [], 1, "then")
    same = conditions([Condition("Accepted", True, "B")], first, 2, "now")
    other = conditions([Condition("Accepted", False, "C")], first, 2, "now")
    assert (same[0]["lastTransitionTime"], same[0]["observedGeneration"]) == ("then", 2)
    assert other[0]["lastTransitionTime"] == "now"


def test_parents_of_other_controllers_stay_as_they_are():
    foreign = {"parentRef": PARENT, "controllerName": "example.com/x", "conditions": []}
    route = {"metadata": {"generation": 3}, "status": {"parents": [foreign]}}
    status = route_status(route, GOOD, "", "now")
    assert status["parents"][0] == foreign
    assert len(status["parents"]) == 2


def test_a_route_that_envoy_refused_is_neither_accepted_nor_programmed():
    status = route_status({"metadata": {"generation": 1}}, GOOD, "bad regex", "now")
    found = {one["type"]: one for one in status["parents"][0]["conditions"]}
    assert found["Programmed"]["status"] == "False"
    assert found["Accepted"]["status"] == "False"
    assert "bad regex" in found["Accepted"]["message"]
