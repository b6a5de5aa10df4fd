"""`crossfade fleet`"""

import asyncio
from pathlib import Path

import pytest


@pytest.fixture
def run(crossfade):
    """Run a command beside the cluster that the event loop of the test serves."""

    async def in_thread(*arguments: str):
        return await asyncio.to_thread(crossfade, *arguments)

    return in_thread


async def test_a_cluster_that_answers_is_added_listed_and_removed(run, sandbox_cloud):
    file = sandbox_cloud.cluster.kubeconfig
    added = await run(
        "fleet", "add", "prod", "--context", "test", "--kubeconfig", file, "--provider", "gcp",
        "--region", "europe-west1", "--label", "tier=prod", "--label", "example.com/x=",
        "--preemptible", "--usd-per-cpu-hour", "0.009",
    )  # fmt: skip
    listed = await run("fleet", "list", "-o", "json")
    text = await run("fleet", "list")
    removed = await run("fleet", "remove", "prod")

    assert (added.code, added.err) == (0, "")
    assert added.out.startswith("cluster prod is in the fleet (Kubernetes v1.")
    (view,) = listed.data["clusters"]
    assert view["cluster"] == {
        "name": "prod",
        "context": "test",
        "kubeconfig": file,
        "provider": "gcp",
        "region": "europe-west1",
        "preemptible": True,
        "usd_per_cpu_hour": 0.009,
        "labels": {"tier": "prod", "example.com/x": ""},
        "capacity": None,
    }
    assert text.out.splitlines()[0].split()[:3] == ["NAME", "HEALTH", "PROVIDER"]
    assert text.out.splitlines()[1].split()[:3] == ["prod", "unknown", "gcp"]
    assert "$0.009 per CPU hour, preemptible" in text.out, "or nobody sees what a cluster costs"
    assert "no hub" in text.err
    assert (removed.code, removed.out) == (0, "cluster prod is no longer in the fleet\n")
    assert (await run("fleet", "list", "-o", "json")).data["clusters"] == []


async def test_a_cluster_that_refuses_us_is_not_added(run, sandbox_cloud):
    sandbox_cloud.write_kubeconfig(token="expired")
    file = sandbox_cloud.cluster.kubeconfig
    ran = await run("fleet", "add", "x", "--context", "test", "--kubeconfig", file, "-o", "json")

    assert ran.code == 6
    assert '"code": "denied"' in ran.err
    assert (await run("fleet", "list", "-o", "json")).data["clusters"] == []


async def test_a_cluster_that_is_not_there_is_not_added(run, sandbox_cloud):
    sandbox_cloud.write_kubeconfig(port=1)
    file = sandbox_cloud.cluster.kubeconfig
    ran = await run("fleet", "add", "x", "--context", "test", "--kubeconfig", file)

    assert ran.code == 6
    assert "hint: " in ran.err


async def test_a_context_that_the_kubeconfig_lacks_is_named(run, sandbox_cloud):
    file = sandbox_cloud.cluster.kubeconfig
    ran = await run("fleet", "add", "x", "--context", "nope", "--kubeconfig", file)

    assert ran.code == 6
    assert "nope" in ran.err
    assert "hint: it has: test" in ran.err


async def test_the_kubeconfig_is_found_as_kubectl_finds_it(run, sandbox_cloud, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", sandbox_cloud.cluster.kubeconfig)

    assert (await run("fleet", "add", "x", "--context", "test")).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the name of the cluster is missing"),
        (["Prod", "--context", "c"], "no name for a cluster (name=Prod)"),
        (["x" * 64, "--context", "c"], "no name for a cluster"),
        (["x", "--context", "c", "--kubeconfig", "/no/file"], "kubeconfig=/no/file"),
        (["x", "--context", "c", "--label", "prod"], "this is no label (label=prod)"),
        (["x", "--context", "c", "--label", "a=b c"], "this is no label"),
        (["--sandbox", "x"], "leave NAME, --context and --kubeconfig out"),
        (["--sandbox", "--context", "c"], "leave NAME, --context and --kubeconfig out"),
    ],
)
def test_wrong_input_is_refused_before_any_cluster_is_asked(
    crossfade, tmp_path, monkeypatch, arguments, message
):
    (tmp_path / "config").write_text("")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    ran = crossfade("fleet", "add", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert not (tmp_path / "state").exists()


def test_several_kubeconfigs_need_a_choice(crossfade, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/a:/b")
    ran = crossfade("fleet", "add", "x", "--context", "c")

    assert ran.code == 2
    assert "--kubeconfig" in ran.err


def test_there_must_be_a_sandbox_to_add_one(crossfade):
    ran = crossfade("fleet", "add", "--sandbox")

    assert ran.code == 3
    assert "crossfade sandbox up" in ran.err


def test_a_cluster_that_is_not_there_cannot_be_removed(crossfade):
    ran = crossfade("fleet", "remove", "x")

    assert ran.code == 3
    assert "there is no cluster `x`" in ran.err


def test_an_empty_fleet_says_how_to_fill_it(crossfade):
    ran = crossfade("fleet", "list")

    assert (ran.code, ran.out) == (0, "")
    assert "crossfade fleet add" in ran.err


def test_the_sandbox_is_the_one_of_the_state_folder(crossfade, tmp_path, monkeypatch):
    from crossfade.sandbox import state

    layout = state.new_layout(tmp_path / "state/sandbox", ["aws", "gcp"], 17000)
    monkeypatch.setattr("crossfade.sandbox.control.require", lambda path: layout)
    versions = []

    async def add(_, cluster):
        versions.append((cluster.name, cluster.context, cluster.provider, dict(cluster.labels)))
        assert Path(cluster.kubeconfig) == layout.kubeconfig
        return "v1.32.0"

    monkeypatch.setattr("crossfade.engine.commands.Commands.add_cluster", add)
    assert crossfade("fleet", "add", "--sandbox").code == 0
    assert versions == [(name, name, name, {"tier": "prod"}) for name in ("aws", "gcp")]


def test_a_cluster_that_is_new_needs_a_context(crossfade):
    ran = crossfade("fleet", "add", "x")

    assert (ran.code, ran.out) == (2, "")
    assert "--context is missing" in ran.err


async def test_a_cluster_of_the_fleet_is_changed_by_its_name_alone(run, sandbox_cloud):
    """And a label more does not take away those by which applications find it."""
    file = sandbox_cloud.cluster.kubeconfig
    where = ("--context", "test", "--kubeconfig", file)
    await run("fleet", "add", "prod", *where, "--label", "tier=prod", "--label", "old=yes")
    again = await run(
        "fleet", "add", "prod", "--preemptible", "--label", "kind=cheap", "--label", "old-", "-o", "json"
    )  # fmt: skip

    (added,) = again.data["added"]
    assert (added["context"], added["kubeconfig"], added["preemptible"]) == ("test", file, True)
    assert added["labels"] == {"tier": "prod", "kind": "cheap"}


async def test_what_is_not_said_again_of_a_cluster_stays(run, sandbox_cloud):
    """A forgotten capacity would have every application send users who do not fit."""
    file = sandbox_cloud.cluster.kubeconfig
    where = ("fleet", "add", "prod", "--context", "test", "--kubeconfig", file)
    await run(
        *where, "--provider", "gcp", "--region", "eu", "--label", "tier=prod", "--preemptible",
        "--usd-per-cpu-hour", "0.009", "--capacity", "700",
    )  # fmt: skip
    again = await run(*where, "--region", "us", "--no-preemptible", "-o", "json")

    (added,) = again.data["added"]
    assert (added["provider"], added["region"], added["capacity"]) == ("gcp", "us", 700)
    assert (added["labels"], added["preemptible"]) == ({"tier": "prod"}, False)
    assert added["usd_per_cpu_hour"] == 0.009
    assert (await run("fleet", "list", "-o", "json")).data["clusters"][0]["cluster"][
        "capacity"
    ] == 700
