"""Pipelines that stand in a repository, or at an address."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from crossfade.testing.git_folder import git

STEPS = "version: '1.0'\nsteps:\n  say: {image: alpine, commands: ['echo WORD $COLOUR']}\n"


@pytest.fixture
def repository(tmp_path):
    """Make a repository with two revisions of a pipeline; return it and the first commit."""
    folder = tmp_path / "repository"
    (folder / "ci").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "ci/cf.yml").write_text(STEPS.replace("WORD", "old"))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "old")
    first = git(folder, "rev-parse", "HEAD")
    (folder / "ci/cf.yml").write_text(STEPS.replace("WORD", "new"))
    (folder / "codefresh.yml").write_text("steps: 1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "new")
    return folder, first


@pytest.fixture
def write(tmp_path):
    def pipeline(**template):
        path = tmp_path / "pipeline.yml"
        lines = "".join(f"    {key}: '{value}'\n" for key, value in template.items())
        path.write_text(
            "version: '1.0'\nkind: pipeline\nmetadata: {name: shop/web}\nspec:\n"
            f"  variables: [{{key: COLOUR, value: green}}]\n  specTemplate:\n{lines}"
        )
        return str(path)

    return pipeline


@pytest.mark.parametrize(
    ("revision", "word"), [("", "new"), ("main", "new"), ("first", "old"), ("short", "old")]
)
def test_the_steps_are_those_of_the_revision(crossfade, repository, write, revision, word):
    folder, first = repository
    named = {"first": first, "short": first[:8]}.get(revision, revision)
    file = write(repo=f"file://{folder}", path="./ci/cf.yml", revision="${{REVISION}}")
    if not revision:
        file = write(repo=f"file://{folder}", path="./ci/cf.yml")

    ran = crossfade("pipeline", "run", file, "--var", f"REVISION={named}")

    assert ran.code == 0, ran.err
    assert f"say | {word} green" in ran.out


def test_a_build_that_is_restarted_has_the_steps_that_it_had(crossfade, repository, write):
    folder, _ = repository
    failing = STEPS.replace("echo WORD $COLOUR", "test -e fixed && echo the same")
    (folder / "ci/cf.yml").write_text(failing)
    git(folder, "commit", "-q", "-a", "-m", "failing")
    assert crossfade("pipeline", "run", write(repo=f"file://{folder}", path="ci/cf.yml")).code == 1
    (folder / "ci/cf.yml").write_text(STEPS.replace("WORD", "other"))
    git(folder, "commit", "-q", "-a", "-m", "other")

    ran = crossfade("pipeline", "restart", "1")

    assert ran.code == 1
    assert "other" not in ran.out


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ({"path": "ci/cf.yml", "revision": "gone"}, "couldn't find remote ref gone"),
        ({"path": "ci/none.yml"}, "there is no ci/none.yml at HEAD"),
        ({"path": "codefresh.yml"}, "codefresh.yml of file://"),
        ({"path": "ci/cf.yml", "revision": "${{NOPE}}"}, "reference without a value"),
    ],
)
def test_what_cannot_be_read_fails_the_build_with_its_reason(
    crossfade, repository, write, template, said
):
    ran = crossfade("pipeline", "run", write(repo=f"file://{repository[0]}", **template))

    assert ran.code == 2
    assert said in ran.err
    assert "hint: " in ran.err
    (row,) = crossfade("pipeline", "list", "--output", "json").data
    assert row["result"] == "failure"


def test_steps_that_cannot_be_run_here_are_refused_once_they_are_known(
    crossfade, repository, write
):
    folder, _ = repository
    (folder / "ci/cf.yml").write_text(STEPS.replace("alpine", "nobody/tool"))
    git(folder, "commit", "-q", "-a", "-m", "odd")

    ran = crossfade("pipeline", "run", write(repo=f"file://{folder}", path="ci/cf.yml"))

    assert ran.code == 2
    assert "--host-image nobody/tool" in ran.err


def test_the_steps_may_stand_at_an_address(crossfade, write):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(STEPS.replace("WORD", "fetched").encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/cf.yml"
        ran = crossfade("pipeline", "run", write(location="url", url=address))
        server.shutdown()
        thread.join()

    assert ran.code == 0, ran.err
    assert "say | fetched green" in ran.out


def test_one_that_is_wrong_cannot_be_registered(crossfade, write):
    ran = crossfade("pipeline", "apply", write(location="svn"))

    assert ran.code == 2
    assert "location 'svn'; allowed: git, url" in ran.err


def test_a_registered_one_is_accepted_without_warnings(crossfade, write):
    file = write(repo="team/app")

    assert crossfade("pipeline", "validate", file).out.strip().endswith("ok")
    assert crossfade("pipeline", "apply", file).code == 0


def test_a_start_may_leave_steps_out_and_bring_other_ones(crossfade, write, tmp_path):
    file = tmp_path / "own.yml"
    steps = "".join(f"    {n}: {{image: alpine, commands: [echo {n}]}}\n" for n in ("one", "two"))
    file.write_text(f"kind: pipeline\nmetadata: {{name: shop/own}}\nspec:\n  steps:\n{steps}")
    other = tmp_path / "other.yml"
    other.write_text(STEPS.replace("WORD", "instead"))
    assert crossfade("pipeline", "apply", str(file)).code == 0

    crossfade("pipeline", "start", "shop/own", "--only", "two")
    crossfade("pipeline", "start", "shop/own", "--skip", "two")
    crossfade("pipeline", "start", "shop/own", "--yaml", str(other))
    said = [crossfade("pipeline", "resume", number).out for number in "123"]

    assert [("| one" in each, "| two" in each) for each in said] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    assert "say | instead" in said[2]
    wrong = crossfade("pipeline", "start", "shop/own", "--only", "tow")
    assert wrong.code == 2
    assert "there is no step `tow`; did you mean" in wrong.err
