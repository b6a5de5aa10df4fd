"""What is read from compositions, and what is refused."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.compose import read_probe, read_service, read_services
from crossfade.core.pipeline.composition import Probe
from crossfade.core.pipeline.work import VOLUME

PLAIN = {"image": "alpine", "command": "true"}


def test_commands_are_read_as_a_shell_would_or_as_a_list():
    text = read_service("a", {"image": "x", "command": "run 'a b' c", "entrypoint": ["/e", "f"]})

    assert (text.entry_point, text.arguments) == (("/e", "f"), ("run", "a b", "c"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["A=1", "B=x=y"], {"A": "1", "B": "x=y"}),
        ({"A": 1, "B": True, "C": None}, {"A": "1", "B": "true", "C": ""}),
    ],
)
def test_variables_are_read_in_both_forms(given, found):
    assert read_service("a", {**PLAIN, "environment": given}).environment == found


def test_services_start_after_those_that_they_need():
    document = {
        "version": "3",
        "services": {
            "web": {**PLAIN, "depends_on": {"db": {"condition": "service_healthy"}}},
            "db": {**PLAIN, "depends_on": ["disk"], "hostname": "data"},
            "disk": PLAIN,
        },
    }
    found = read_services(document)

    assert [each.name for each in found] == ["disk", "db", "web"]
    assert found[2].after == {"db": True}
    assert found[1].aliases == ("data",)


def test_a_composition_of_services_may_be_just_their_names():
    assert [each.name for each in read_services({"web": PLAIN, "version": "2"})] == ["web"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("./data:/d", (f"{VOLUME}/app/data", "/d")),
        (".:/app/", (f"{VOLUME}/app", "/app")),
        (f"{VOLUME}/x:/y:ro", (f"{VOLUME}/x", "/y")),
        ("named:/var/lib", ("named", "/var/lib")),
        ("/var/lib", ("anonymous-var-lib", "/var/lib")),
    ],
)
def test_folders_begin_where_the_composition_is(given, found):
    service = read_service("a", {**PLAIN, "volumes": [given]}, f"{VOLUME}/app")

    assert service.volumes == (found,)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"test": ["CMD", "a", "b"]}, Probe(("a", "b"), "", 30, 30, 1, 3)),
        ({"test": "a | b", "interval": "2s"}, Probe(("sh", "-c", "a | b"), "", 30, 2, 1, 3)),
        (
            {"test": ["CMD-SHELL", "a"], "timeout": "1s", "retries": 5, "start_period": "1m"},
            Probe(("sh", "-c", "a"), "", 1, 30, 1, 5, 60),
        ),
        ({"test": ["NONE"]}, None),
        ({"disable": True, "test": "a"}, None),
    ],
)
def test_health_is_looked_at_as_compose_would(given, found):
    assert read_service("a", {**PLAIN, "healthcheck": given}).health == found


def test_readiness_has_the_limits_that_codefresh_has_unless_it_says_otherwise():
    plain = read_probe({"image": "x", "commands": ["a", "b"]})
    given = read_probe(
        {"image": "x", "commands": ["a"], "timeoutSeconds": 1, "failureThreshold": 9}
    )

    assert plain == Probe(("sh", "-c", "set -e\na\nb"), "x", 10, 10, 1, 3)
    assert (given.timeout_seconds, given.failures) == (1, 9)
    assert read_probe(None) is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "it is no mapping"),
        ({"version": "2.1", "services": {}}, "version 2.1 is not supported"),
        ({"services": []}, "`services` is no mapping"),
        ({"a": "x"}, "a: it is no mapping"),
        ({"a b": PLAIN}, "cannot be the name of a machine"),
        ({"a": {**PLAIN, "hostname": "a\n127.0.0.1 b"}}, "cannot be the name of a machine"),
        ({"a": {"command": "x"}}, "a: it does not know its image"),
        ({"a": {"image": "${{X}}"}}, "it does not know its image"),
        ({"a": {**PLAIN, "build": "."}}, "a step of type build makes its image"),
        ({"a": {**PLAIN, "comand": "x"}}, "comand.*command"),
        ({"a": {**PLAIN, "environment": ["A"]}}, "'A' is no NAME=value"),
        ({"a": {**PLAIN, "volumes": ["../../x:/y"]}}, "is not below"),
        ({"a": {**PLAIN, "volumes": ["x:y"]}}, "is no source:target"),
        ({"a": {**PLAIN, "depends_on": ["bb"]}, "b": PLAIN}, "names no service: bb"),
        ({"a": {**PLAIN, "depends_on": ["b"]}, "b": {**PLAIN, "depends_on": ["a"]}}, "each other"),
        ({"a": {**PLAIN, "healthcheck": {"test": []}}}, "healthcheck: test"),
        ({"a": {**PLAIN, "healthcheck": {"test": "x", "interval": "soon"}}}, "interval is 'soon'"),
    ],
)
def test_what_cannot_be_run_is_named_with_its_service(document, said):
    with pytest.raises(InputError, match=said):
        read_services(document, f"{VOLUME}/app")
