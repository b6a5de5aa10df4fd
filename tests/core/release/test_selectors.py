"""Selectors: no revision may select, push away or protect the pods of another."""

from copy import deepcopy

from crossfade.core.release.manifests import prepare
from crossfade.testing.objects import deployment, service, thing

APPLICATION = "colors"
REVISION = "r1234567"
RELEASE = "colors-r1234567"


def prepared(*objects):
    return prepare(list(objects), APPLICATION, REVISION)


def test_a_shared_selector_is_narrowed_to_the_revision():
    got = prepared(service(RELEASE), deployment(RELEASE)).objects[0]
    assert got["spec"]["selector"] == {"app": "web", "crossfade.dev/revision": REVISION}


def test_a_selector_that_names_the_release_stays_as_it_is():
    labels = {"app.kubernetes.io/instance": RELEASE}
    got = prepared(service(RELEASE, selector=dict(labels)), deployment(RELEASE, labels)).objects[0]
    assert got["spec"]["selector"] == labels


def test_a_selector_of_pods_made_elsewhere_stays_and_is_said():
    got = prepared(service(RELEASE, selector={"app": "database"}), deployment(RELEASE))
    assert got.objects[0]["spec"]["selector"] == {"app": "database"}
    assert any("selects pods that the chart does not make" in note for note in got.notes)


def test_what_keeps_pods_apart_does_not_keep_revisions_apart():
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "host"}
    rules = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    weighted = {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term}]}
    got = prepared(
        deployment(
            RELEASE,
            affinity={"podAntiAffinity": rules, "podAffinity": weighted},
            topologySpreadConstraints=[deepcopy(term)],
        )
    )
    spec = got.objects[0]["spec"]["template"]["spec"]
    assert str(spec).count(f"'crossfade.dev/revision': '{REVISION}'") == 3


def test_budgets_and_policies_cover_their_own_revision_only():
    budget = thing(
        "PodDisruptionBudget", RELEASE, spec={"selector": {"matchLabels": {"app": "web"}}}
    )
    policy = thing("NetworkPolicy", RELEASE, spec={"podSelector": {}})
    got = prepared(budget, policy, deployment(RELEASE)).objects
    assert got[0]["spec"]["selector"]["matchLabels"]["crossfade.dev/revision"] == REVISION
    assert got[1]["spec"]["podSelector"]["matchLabels"] == {"crossfade.dev/revision": REVISION}
