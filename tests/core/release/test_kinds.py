"""Any chart: two revisions of it share nothing, and nothing in it is lost."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.errors import InputError
from crossfade.core.release.kinds import labels_of, name_of, pod_templates
from crossfade.core.release.manifests import prepare
from crossfade.core.release.selectors import matches
from crossfade.testing.objects import deployment, service, thing

APPLICATION = "colors"
REVISION = "r1234567"
RELEASE = "colors-r1234567"


def prepared(*objects):
    return prepare(list(objects), APPLICATION, REVISION)


# Charts as people write them: some names and labels carry the release, some do not.
TEMPLATES = st.sampled_from(["{r}", "{r}-a", "a", "b", "web"])
LABELS = st.fixed_dictionaries({"app": st.sampled_from(["web", "db", "{r}"])})
CHART = st.lists(
    st.tuples(st.sampled_from(["Deployment", "Service", "ConfigMap", "Secret"]), TEMPLATES, LABELS),
    max_size=8,
    unique_by=lambda each: each[:2],
)


def render(chart, release):
    rendered = []
    for kind, template, raw in chart:
        name = template.format(r=release)
        labels = {key: value.format(r=release) for key, value in raw.items()}
        if kind == "Deployment":
            uses = [
                {"configMapRef": {"name": other.format(r=release)}}
                for other_kind, other, _ in chart
                if other_kind == "ConfigMap"
            ]
            rendered.append(deployment(name, labels, containers=[{"name": "c", "envFrom": uses}]))
        elif kind == "Service":
            rendered.append(service(name, selector=labels))
        else:
            rendered.append(thing(kind, name))
    return rendered


def titles(objects):
    return {(each["kind"], name_of(each)) for each in objects}


@given(CHART)
def test_two_revisions_of_any_chart_share_no_name_and_no_pod(chart):
    first = prepare(render(chart, "colors-r1111111"), APPLICATION, "r1111111").objects
    second = prepare(render(chart, "colors-r2222222"), APPLICATION, "r2222222").objects
    assert not titles(first) & titles(second)
    pods = [labels_of(each) for thing in second for each in pod_templates(thing)]
    for each in first:
        selector = each.get("spec", {}).get("selector")
        if selector is not None:
            wanted = selector if each["kind"] == "Deployment" else {"matchLabels": selector}
            mine = [labels_of(pod) for thing in first for pod in pod_templates(thing)]
            assert not any(matches(wanted, labels) for labels in pods if mine)


@given(CHART)
def test_every_reference_still_leads_to_its_object(chart):
    objects = prepare(render(chart, RELEASE), APPLICATION, REVISION).objects
    maps = {name_of(each) for each in objects if each["kind"] == "ConfigMap"}
    for each in objects:
        for pod in pod_templates(each):
            used = {
                source["configMapRef"]["name"] for source in pod["spec"]["containers"][0]["envFrom"]
            }
            assert used == maps


@given(CHART)
def test_preparing_again_changes_nothing(chart):
    once = prepare(render(chart, RELEASE), APPLICATION, REVISION).objects
    assert prepare(list(once), APPLICATION, REVISION).objects == once


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "web", "In"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "spec",
                    "template",
                    "metadata",
                    "labels",
                    "annotations",
                    "selector",
                    "containers",
                    "ports",
                    "rules",
                    "matchLabels",
                    "matchExpressions",
                    "values",
                    "operator",
                    "name",
                    "resourceNames",
                    "resources",
                    "affinity",
                    "podAntiAffinity",
                    "imagePullSecrets",
                    "topologySpreadConstraints",
                    "requiredDuringSchedulingIgnoredDuringExecution",
                    "secretName",
                    "configMapRef",
                    "kind",
                    "data",
                    "env",
                    "podSelector",
                ]
            ),
            below,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(
    st.sampled_from(["Service", "Deployment", "Role", "NetworkPolicy", "Pod", "ConfigMap", "Job"]),
    JSON,
    JSON,
)
def test_any_garbage_in_an_object_is_taken_or_refused_never_a_crash(kind, spec, labels):
    broken = thing(kind, "web", spec=spec, rules=spec, data=labels, template=spec)
    broken["metadata"] |= {"labels": labels, "annotations": labels}
    with suppress(InputError):
        prepared(broken, thing("Secret", "x"), thing("Service", "x"))
