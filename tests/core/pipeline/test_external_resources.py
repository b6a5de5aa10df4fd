"""What pipelines want of other repositories: where it may go, and that nothing comes before it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.checked import checked
from crossfade.core.pipeline.document import with_main_clone
from crossfade.core.pipeline.external_resources import (
    KEY,
    bring,
    resources_of,
    with_resources,
)
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.tree import Mark, grown
from crossfade.core.pipeline.work import VOLUME, CannotRun
from crossfade.testing.fake_build import FakeBuild, after, on, step

GIVEN = {"type": "git", "repo": "team/lib", "source": "/src", "destination": "lib"}
OWN = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]


def build_of(steps, ends=None, *, mode="sequential", clone=False, **more):
    """Return a build with two resources in front of these steps, played to its end."""
    document = {"steps": steps, "mode": mode, **more}
    build = FakeBuild(document, ends)
    spec = {KEY: [GIVEN, {**GIVEN, "destination": "b"}]}
    whole = {"kind": "pipeline", "metadata": {"name": "a"}, "spec": {**document, **spec}}
    pipeline = checked(grown(whole, Mark(1, 1))).pipeline
    build.graph = graph_of(with_resources(with_main_clone(pipeline) if clone else pipeline))
    return build


def began(build):
    """Return the steps in the order in which they began."""
    units = build.play().state.units.items()
    return [key for key, unit in sorted(units, key=lambda each: each[1].since) if key and unit.run]


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
@pytest.mark.parametrize("clone", [False, True])
def test_nothing_begins_before_everything_is_there(mode, clone):
    steps = {"one": step(), "two": after("one"), "three": on("1 == 1")}
    order = began(build_of(steps, mode=mode, clone=clone))

    implied = ["main_clone"] if clone else []
    assert order[: 2 + clone] == [*implied, f"{KEY}[0]", f"{KEY}[1]"]
    assert {*order} == {*implied, f"{KEY}[0]", f"{KEY}[1]", "one", "two", "three"}


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
@pytest.mark.parametrize("more", [{}, {"fail_fast": False}])
def test_without_a_resource_no_step_runs_whatever_the_pipeline_says(mode, more):
    build = build_of(
        {"one": step(), "two": step()}, {f"{KEY}[0]": Status.FAILED}, mode=mode, **more
    )

    assert began(build) == [f"{KEY}[0]"]
    assert build.state.result == "failure"


def test_steps_of_the_same_name_are_in_nobodys_way():
    assert "externalResources" in began(build_of({"externalResources": step()}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("x", "is 'x', no list"),
        (["x"], r"\[0\] is 'x', no mapping"),
        ([{**GIVEN, "type": "s3"}], "type 's3'; allowed: git"),
        ([{**GIVEN, "repo": ""}], "has no `repo`"),
        ([{**GIVEN, "source": None}], "has no `source`"),
        ([GIVEN, {"type": "git", "repo": "a/b", "source": "c"}], r"\[1\] has no `destination`"),
        ([{**GIVEN, "isfolder": True}], "unknown key 'isfolder'.*isFolder"),
        ([{**GIVEN, "source": ["a"]}], "source .* no text"),
        ([{**GIVEN, "source": "../etc/passwd"}], "leads out of the repository"),
        ([{**GIVEN, "source": "a/../../b"}], "leads out of the repository"),
        ([{**GIVEN, "source": "."}], "isFolder: true"),
        ([{**GIVEN, "destination": "../../etc"}], f"not in {VOLUME}"),
        ([{**GIVEN, "destination": "/etc"}], f"not in {VOLUME}"),
        ([{**GIVEN, "destination": f"{VOLUME}-other/a"}], f"not in {VOLUME}"),
        ([{**GIVEN, "destination": "codefresh/volume/../../etc"}], f"not in {VOLUME}"),
        ([{**GIVEN, "revision": "--upload-pack=evil"}], "a branch, a tag or a commit"),
        ([{**GIVEN, "repo": "--upload-pack=evil"}], "owner/name, or an address"),
    ],
)
def test_what_cannot_be_brought_is_refused_with_its_place(given, said):
    with pytest.raises(InputError, match=said) as caught:
        resources_of({KEY: given})

    assert "external-resources" in caught.value.hint


def test_validating_says_so_too():
    whole = {"kind": "pipeline", "spec": {"steps": {}, KEY: [{"type": "s3"}], "contexts": "x"}}
    told = [each.message for each in checked(grown(whole, Mark(1, 1))).findings.warnings]

    assert any("type 's3'; allowed: git" in each for each in told)
    assert any("a list of names of shared configurations" in each for each in told)


@pytest.mark.parametrize("key", ["repo", "source", "destination"])
def test_a_reference_without_a_value_is_told_and_nothing_is_guessed(key):
    assert resources_of({KEY: [{**GIVEN, key: "${{X}}"}]})
    with pytest.raises(CannotRun, match=f"{key} has a reference without a value"):
        bring({**GIVEN, key: "${{X}}"})


def test_values_of_references_are_checked_as_well():
    with pytest.raises(CannotRun, match="leads out"):
        bring({**GIVEN, "source": "../x"})


@pytest.mark.parametrize(
    ("destination", "folder", "target"),
    [
        ("lib", True, "lib"),
        ("codefresh/volume/helm-sample-app/", False, "helm-sample-app/v.json"),
        (f"{VOLUME}/a/b", False, "a/b"),
        ("./a", False, "a"),
        ("/codefresh/volume", False, "v.json"),
        ("codefresh/volume-2", True, "codefresh/volume-2"),
    ],
)
def test_destinations_are_read_as_codefresh_writes_them(destination, folder, target):
    given = {**GIVEN, "source": "sub/v.json", "destination": destination, "isFolder": folder}

    assert bring(given).members == {"self": f"{VOLUME}/{target}"}


def test_the_integration_says_where_short_names_are():
    assert "https://gitlab.com/team/lib.git" in bring({**GIVEN, "context": "gitlab-ours"}).script
    assert bring({**GIVEN, "context": "gitlab-ours"}).integration == "gitlab-ours"
    assert "https://github.com/team/lib.git" in bring(GIVEN).script


class Refused(Exception):
    pass


def git(folder, *words):
    command = ["git", *OWN, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def origin(tmp_path):
    folder = tmp_path / "origin"
    (folder / "src/sub").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "src/run.sh").write_text("#!/bin/sh\n")
    (folder / "src/run.sh").chmod(0o755)
    (folder / "src/sub/v 1.json").write_text("{}")
    (folder / "link").symlink_to("/etc/passwd")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "v1")
    (folder / "src/run.sh").write_text("#!/bin/sh\n# new\n")
    git(folder, "commit", "-q", "-a", "-m", "two")
    return folder


@pytest.fixture
def brought(tmp_path, origin):
    """Bring a resource of the repository; return the workspace."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (tmp_path / "tmp").mkdir()

    def go(source, destination, *, folder=False, revision=""):
        given = {"repo": f"file://{origin}", "source": source, "destination": destination}
        work = bring({**given, "isFolder": folder, "revision": revision})
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        environment["CF_EXPORT_FILE"] = str(tmp_path / "exports")
        words = ["/bin/sh", "-c", work.script.replace(VOLUME, str(volume))]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        left = list((tmp_path / "tmp").iterdir())
        for each in left:
            shutil.rmtree(each)
        if done.returncode:
            raise Refused(done.stderr)
        assert left == []
        return volume

    return go


def test_a_folder_comes_with_all_that_is_in_it(brought):
    volume = brought("/src", "lib", folder=True, revision="v1")

    assert os.access(volume / "lib/run.sh", os.X_OK)
    assert (volume / "lib/run.sh").read_text() == "#!/bin/sh\n"
    assert (volume / "lib/sub/v 1.json").read_text() == "{}"
    assert not (volume / "lib/.git").exists()


def test_a_file_comes_under_the_name_that_is_asked_for(brought):
    assert (brought("src/sub/v 1.json", "a/b.json") / "a/b.json").read_text() == "{}"
    assert (brought("src/sub/v 1.json", "a/") / "a/v 1.json").read_text() == "{}"
    assert (brought("src/run.sh", "a") / "a/run.sh").read_text().endswith("new\n")


def test_the_whole_repository_may_come(brought):
    assert (brought("/", "all", folder=True) / "all/src/run.sh").exists()


def test_a_commit_is_brought_by_its_short_name_too(brought, origin):
    short = git(origin, "rev-parse", "--short", "v1").strip()

    assert (brought("src/run.sh", "x", revision=short) / "x").read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize(
    ("source", "folder", "revision", "said"),
    [
        ("none", False, "", "there is no none at HEAD"),
        ("src", False, "", "say isFolder: true"),
        ("src/run.sh", True, "", "leave isFolder out"),
        ("link", False, "", "is a link in the repository"),
        ("src", True, "gone", "couldn't find remote ref gone"),
    ],
)
def test_what_is_not_there_is_told(brought, source, folder, revision, said):
    with pytest.raises(Refused, match=said):
        brought(source, "x", folder=folder, revision=revision)


def test_links_of_a_resource_before_lead_nobody_out(brought, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "run.sh").write_text("mine")
    volume = tmp_path / "volume"
    (volume / "out").symlink_to(outside)
    (volume / "lib").mkdir()
    (volume / "lib/run.sh").symlink_to(outside / "run.sh")

    for destination in ("out/x", "out/", "out"):
        with pytest.raises(Refused, match="leads out of it"):
            brought("src/run.sh", destination)
    with pytest.raises(Refused, match="leads out of it"):
        brought("src", "out/deeper", folder=True)
    brought("src", "lib", folder=True)  # the link itself is replaced
    assert (outside / "run.sh").read_text() == "mine"
    assert [each.name for each in Path(outside).iterdir()] == ["run.sh"]
    assert not (volume / "lib/run.sh").is_symlink()
