"""Public steps of many pipelines, against a real git, a real npm and what answers over HTTP."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from crossfade.testing.git_http import TOKEN, git_http
from crossfade.testing.http_service import Reply, http_service_beside

OWN = ("-c", "user.name=ann", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> str:
    command = ["git", *OWN, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def needs(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"needs {tool} on PATH")


@pytest.fixture
def run(crossfade, tmp_path):
    """Run steps, and return what `pipeline run` says."""

    def go(steps, *more):
        file = tmp_path / "codefresh.json"
        file.write_text(json.dumps({"version": "1.0", "steps": steps}))
        return crossfade("pipeline", "run", str(file), *more)

    return go


@pytest.fixture
def peer():
    with http_service_beside() as service:
        yield service


def slack(peer, **more):
    given = {"SLACK_HOOK_URL": f"{peer.address}/T0/s3cr3t", "SLACK_TEXT": 'it\'s "done" $HOME'}
    return {"tell": {"type": "slack-notifier", "arguments": {**given, **more}}}


@needs("curl")
def test_a_message_reaches_slack_as_it_is_written(run, peer):
    peer.say(Reply(body="ok"))

    ran = run(slack(peer, SLACK_ATTACHMENTS='[{"text": "more"}]'))

    assert ran.code == 0, ran.err
    (asked,) = peer.asked
    assert (asked.method, asked.path) == ("POST", "/T0/s3cr3t")
    assert asked.json() == {"text": 'it\'s "done" $HOME', "attachments": [{"text": "more"}]}
    assert "s3cr3t" not in ran.out + ran.err


@needs("curl")
def test_a_template_has_its_own_actions_and_fields(run, peer):
    body = {"SLACK_TEMPLATE_BODY": '{"color": "good"}', "SLACK_TEMPLATE_FIELDS": '[{"title": "a"}]'}

    assert run(slack(peer, MODE="template", **body)).code == 0

    (attachment,) = peer.asked[0].json()["attachments"]
    assert attachment == {"color": "good", "fields": [{"title": "a"}]}


@needs("curl")
def test_the_default_template_says_which_build_it_was(run, peer):
    assert run(slack(peer, MODE="default-template"), "--var", "CF_BRANCH=main").code == 0

    (attachment,) = peer.asked[0].json()["attachments"]
    assert {"title": "Branch", "value": "main", "short": True} in attachment["fields"]


@needs("curl")
def test_a_message_that_slack_refuses_fails_its_step_and_says_why(run, peer):
    peer.say(Reply(404, "no_team"))

    ran = run(slack(peer))

    assert ran.code == 1
    assert "no_team" in ran.out + ran.err
    assert "s3cr3t" not in ran.out + ran.err


@needs("curl")
def test_a_pull_request_is_commented_with_the_token_of_the_integration(run, peer, monkeypatch):
    monkeypatch.setenv("CROSSFADE_SECRET_GIT_ACME", TOKEN)
    monkeypatch.setenv("CROSSFADE_SECRET_GIT_SERVER_ACME", peer.address)
    arguments = {"PR_COMMENT_TEXT": "see https://pr-7.example.com", "GIT_PROVIDER_NAME": "acme"}
    steps = {"tell": {"type": "kostis-codefresh/github-pr-comment", "arguments": arguments}}
    of_a_pull = ("CF_REPO_OWNER=shop", "CF_REPO_NAME=web", "CF_PULL_REQUEST_NUMBER=7")
    given = [word for each in of_a_pull for word in ("--var", each)]

    ran = run(steps, *given)

    assert ran.code == 0, ran.err
    (asked,) = peer.asked
    assert asked.path == "/api/v3/repos/shop/web/issues/7/comments"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.json() == {"body": "see https://pr-7.example.com"}
    ran = run(steps)
    assert ran.code == 1
    assert "of no pull request" in ran.out + ran.err


@pytest.fixture
def repository(tmp_path):
    """A bare repository with one commit on main."""
    (tmp_path / "web").mkdir()
    git(tmp_path / "web", "init", "-q")
    (tmp_path / "web/version").write_text("1\n")
    git(tmp_path / "web", "add", ".")
    git(tmp_path / "web", "commit", "-q", "-m", "Begin")
    (tmp_path / "served/shop").mkdir(parents=True)
    git(tmp_path, "clone", "-q", "--bare", "web", "served/shop/web.git")
    git(tmp_path / "served/shop/web.git", "config", "http.receivepack", "true")
    return tmp_path / "served/shop/web.git"


@pytest.fixture
def server(tmp_path, repository, monkeypatch):
    """Serves it over HTTP to who has the token of the integration `acme`."""
    with git_http(tmp_path / "served") as served:
        monkeypatch.setenv("CROSSFADE_SECRET_GIT_ACME", TOKEN)
        monkeypatch.setenv("CROSSFADE_SECRET_GIT_SERVER_ACME", f"{served.address}/")
        yield served


def cloned(server, **more):
    address = f"{server.address}/shop/web.git"
    return {"main_clone": {"type": "git-clone", "repo": address, "revision": "main", **more}}


CHANGE = {"image": "alpine", "commands": ["echo 2 > version", "echo new > more"]}


def committed(**more):
    given = {"repo": "shop/web", "git": "acme", "commit_message": "Say 2", "git_user_name": "bot"}
    return {"type": "git-commit", "arguments": {**given, **more}}


def test_what_a_build_changes_is_committed_and_pushed_with_a_token(run, server, repository):
    look = {"image": "alpine", "commands": ["echo made ${{steps.save.revision}}", "env"]}
    steps = {"change": CHANGE, "save": committed(add=["version"]), "look": look}

    ran = run({**cloned(server, git="acme"), **steps})

    assert ran.code == 0, ran.err
    head = git(repository, "log", "-1", "--format=%H %an %s").strip()
    assert head.endswith("bot Say 2")
    assert f"made {head.split()[0]}" in ran.out
    assert git(repository, "show", "--format=", "--name-only", "main").split() == ["version"]
    assert TOKEN not in ran.out + ran.err


def test_a_step_that_changes_nothing_says_so_and_commits_nothing(run, server, repository):
    ran = run({**cloned(server, git="acme"), "save": committed()})

    assert ran.code == 1
    assert "nothing to commit" in ran.out + ran.err
    assert run({**cloned(server, git="acme"), "save": committed(allow_empty=True)}).code == 0
    assert git(repository, "rev-list", "--count", "main").strip() == "2"


def test_a_commit_outside_of_a_clone_says_where_it_looked(run):
    ran = run({"save": committed()})

    assert ran.code == 1
    assert "there is no clone in /codefresh/volume: say where it is" in ran.out


def test_a_push_comes_on_top_of_what_others_have_pushed(run, server, repository, tmp_path):
    git(tmp_path, "clone", "-q", str(repository), "other")
    git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "Faster")
    git(tmp_path / "other", "push", "-q", "origin", "main")
    late = {"image": "alpine", "commands": ["git reset -q --hard HEAD~1", "echo 3 > new"]}
    steps = {**cloned(server, git="acme"), "change": late}

    refused = run({**steps, "save": committed(commit_message="Say 3")})
    assert refused.code == 1
    assert "rejected" in refused.out + refused.err
    assert run({**steps, "save": committed(commit_message="Say 3", rebase=True)}).code == 0

    said = git(repository, "log", "--format=%s", "main").split("\n")
    assert said[:3] == ["Say 3", "Faster", "Begin"]


def test_a_commit_that_was_made_is_pushed_by_the_next_try_and_not_made_again(
    run, server, repository
):
    hook = repository / "hooks/pre-receive"
    hook.write_text('#!/bin/sh\n[ -e "$GIT_DIR/second" ] || { : > "$GIT_DIR/second"; exit 1; }\n')
    hook.chmod(0o755)
    retried = {**committed(), "retry": {"maxAttempts": 2, "delay": 1}}

    ran = run({**cloned(server, git="acme"), "change": CHANGE, "save": retried})

    assert ran.code == 0, ran.out + ran.err
    assert "it is committed already" in ran.out
    assert git(repository, "log", "--format=%s", "main").split("\n")[:2] == ["Say 2", "Begin"]


def test_a_hook_in_the_workspace_does_not_run_with_the_token(run, server):
    plant = r"printf '#!/bin/sh\ntouch /codefresh/volume/ran\n' > .git/hooks/pre-push"
    more = ["chmod +x .git/hooks/pre-push", "cp .git/hooks/pre-push .git/hooks/pre-commit"]
    change = {**CHANGE, "commands": [*CHANGE["commands"], plant, *more]}
    look = {"image": "alpine", "commands": ["test ! -e /codefresh/volume/ran"]}
    steps = {"change": change, "save": committed(), "look": look}

    assert run({**cloned(server, git="acme"), **steps}).code == 0


def test_a_clone_over_http_has_the_token_of_its_integration_alone(run, server):
    assert run(cloned(server, git="acme")).code == 0
    server.heard.clear()

    assert run(cloned(server, git="github")).code == 1
    assert server.heard == []


def test_a_token_is_given_to_its_own_server_only(run, server, monkeypatch):
    monkeypatch.setenv("CROSSFADE_SECRET_GIT_SERVER_ACME", "http://127.0.0.2:1")

    assert run(cloned(server, git="acme")).code == 1
    assert server.heard == []


def test_a_token_without_a_server_is_not_used_and_that_is_said(run, server, monkeypatch):
    monkeypatch.delenv("CROSSFADE_SECRET_GIT_SERVER_ACME")

    ran = run(cloned(server, git="acme"))

    assert ran.code == 1
    assert "git-server-acme is to say for which server" in ran.out + ran.err


@needs("npm")
def test_a_package_is_published_with_the_token_in_no_file(run, peer, tmp_path):
    package = {"name": "colours", "version": "1.2.3", "publishConfig": {"registry": peer.address}}
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps(package))
    peer.answer = lambda asked: Reply(201, {}) if asked.method == "PUT" else Reply(404, {})
    publish = {"type": "npm-publish", "arguments": {"NPM_TOKEN": "npm_s3cr3t"}}

    ran = run({"publish": publish}, "--local-dir", str(folder))

    assert ran.code == 0, ran.out + ran.err
    (put,) = [each for each in peer.asked if each.method == "PUT"]
    assert put.headers["authorization"] == "Bearer npm_s3cr3t"
    assert list(put.json()["versions"]) == ["1.2.3"]
    assert "npm_s3cr3t" not in ran.out + ran.err
    integrity = put.json()["versions"]["1.2.3"]["dist"]["integrity"]
    known = {"name": "colours", "dist-tags": {"latest": "1.2.3"}}
    known["versions"] = {"1.2.3": {**package, "dist": {"integrity": integrity, "tarball": "x"}}}
    peer.answer = lambda asked: Reply(409, {}) if asked.method == "PUT" else Reply(200, known)
    assert run({"publish": publish}, "--local-dir", str(folder)).code == 0, "it is there already"


def test_a_report_of_tests_stays_with_the_build(run, crossfade, tmp_path):
    suite = '<testsuite name="s"><testcase name="a"/></testsuite>'
    make = ["mkdir -p out/html", f"echo '{suite}' > out/r.xml", "echo page > out/html/index.html"]
    arguments = {"report_dir": "out", "bucket_name": "b", "storage_integration": "s"}
    report = {"type": "test-reporting", "arguments": arguments}

    ran = run({"make": {"image": "alpine", "commands": make}, "report": report})

    assert ran.code == 0, ran.err
    kept = json.loads(crossfade("pipeline", "artifacts", "1", "--output", "json").out)
    assert {each["path"] for each in kept} == {"out/html/index.html", "out/r.xml"}
    (tests,) = json.loads(crossfade("pipeline", "tests", "1", "--output", "json").out)
    assert tests["passed"] == 1
    ran = run({"report": report})
    assert "there is no report in" in ran.out + ran.err


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"type": "slack-notifier", "arguments": {"SLACK_TEXT": "x"}},
            "`SLACK_HOOK_URL` is missing",
        ),
        ({"type": "multiarch-manifester", "arguments": {}}, "several platforms"),
        ({"type": "codefresh-report-image", "arguments": {}}, "--steps"),
        (committed(gpg_key_id="A"), "commits are not signed"),
    ],
)
def test_what_cannot_mean_anything_is_refused_before_a_step_has_run(run, step, words):
    ran = run({"first": {"image": "alpine", "commands": ["echo it ran"]}, "odd": step})

    assert ran.code != 0
    assert words in ran.err
    assert "it ran" not in ran.out


def test_a_definition_of_the_user_goes_before_ours(run, tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps/step.yaml").write_text(
        """kind: step-type
metadata: {name: slack-notifier, version: 9.0.0}
spec: {steps: {main: {image: alpine, commands: ['echo ours is ${{SLACK_TEXT}}']}}}
"""
    )
    step = {"type": "slack-notifier", "arguments": {"SLACK_TEXT": "another"}}

    ran = run({"tell": step}, "--steps", str(tmp_path / "steps"))

    assert ran.code == 0, ran.err
    assert "ours is another" in ran.out


def test_what_a_step_has_exported_makes_no_program_run_with_the_token(run, server, repository):
    plant = [
        "printf '#!/bin/sh\\ntouch /codefresh/volume/ran\\n' > planted",
        "chmod +x planted",
        "cf_export GIT_EXTERNAL_DIFF=$PWD/planted GIT_ASKPASS=$PWD/planted GIT_EDITOR=$PWD/planted",
        "cf_export GIT_CONFIG_PARAMETERS=\"'core.fsmonitor=$PWD/planted'\" PATH=$PWD:$PATH",
        "cp planted git; cp planted mktemp",
    ]
    change = {**CHANGE, "commands": [*CHANGE["commands"], *plant]}
    look = {"image": "alpine", "commands": ["/usr/bin/test ! -e /codefresh/volume/ran"]}
    steps = {"change": change, "save": committed(add=["version"]), "look": look}

    ran = run({**cloned(server, git="acme"), **steps})

    assert ran.code == 0, ran.out + ran.err
    assert git(repository, "log", "-1", "--format=%s").strip() == "Say 2"
