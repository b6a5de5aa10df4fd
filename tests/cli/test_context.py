"""`crossfade context`: made, shown without secrets, used by builds, removed."""

import io

import pytest

PIPELINE = """version: '1.0'
kind: pipeline
metadata: {name: shop/web}
spec:
  contexts: [staging, tokens]
  variables: [{key: COLOUR, value: of-the-pipeline}]
  triggers:
  - {name: night, type: cron, expression: '0 0 * * *', contexts: [night]}
  steps:
    say:
      image: alpine
      commands: ['echo $REGION $COLOUR $TOKEN $NIGHT']
      when: {condition: {all: {there: '"${{REGION}}" == "eu"'}}}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pipeline.yml"
    path.write_text(PIPELINE)
    return str(path)


@pytest.fixture
def kept(crossfade, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2hunter2")
    made = [
        crossfade("context", "create", "config", "staging", "-v", "REGION=eu", "-v", "COLOUR=x"),
        crossfade("context", "create", "secret", "tokens", "-v", "TOKEN"),
        crossfade("context", "create", "config", "night", "--variable", "NIGHT=yes"),
    ]
    monkeypatch.delenv("TOKEN")
    assert [each.code for each in made] == [0, 0, 0], made
    assert made[0].out == "context staging has 2 variables\n"


def test_a_build_has_the_variables_and_no_log_has_the_secret(crossfade, kept, file, tmp_path):
    ran = crossfade("pipeline", "run", file, "--context", "night")

    assert ran.code == 0, ran.err
    assert "say | eu of-the-pipeline *** yes" in ran.out
    assert "hunter2" not in ran.out + ran.err
    again = crossfade("pipeline", "run", file, "--var", "REGION=us")
    assert "skipped" in again.out  # what is given goes before what is shared


def test_a_build_keeps_its_variables_when_it_begins_again(crossfade, kept, tmp_path):
    path = tmp_path / "failing.yml"
    path.write_text(PIPELINE.replace("echo $REGION", "test -e ok; echo $REGION"))
    assert crossfade("pipeline", "run", str(path)).code == 1
    crossfade("context", "create", "config", "staging", "-v", "REGION=us", "--replace")
    (tmp_path / "state/pipelines/1/volume/ok").touch()

    assert "say | eu of-the-pipeline ***" in crossfade("pipeline", "restart", "1").out


def test_an_unknown_one_is_refused_before_anything_begins(crossfade, file):
    for command in (("pipeline", "run", file), ("pipeline", "apply", file)):
        ran = crossfade(*command)
        assert ran.code == 2
        assert "there is no shared configuration `staging`" in ran.err
        assert "crossfade context create config staging" in ran.err
    assert crossfade("pipeline", "list", "-o", "json").data == []


def test_one_that_goes_while_a_build_waits_fails_it_with_its_name(crossfade, kept, file):
    crossfade("pipeline", "run", file, "--detach")
    crossfade("context", "delete", "staging")

    ran = crossfade("pipeline", "resume", "1")

    assert ran.code == 2
    assert "there is no shared configuration `staging`" in ran.err
    assert crossfade("pipeline", "list", "-o", "json").data[0]["result"] == "failure"


@pytest.mark.parametrize("how", ["refused", "ended"])
def test_a_build_that_never_began_has_them_when_it_begins_again(crossfade, kept, file, how):
    crossfade("pipeline", "run", file, "--detach")
    if how == "refused":
        crossfade("context", "delete", "staging")
        crossfade("pipeline", "resume", "1")
        crossfade("context", "create", "config", "staging", "-v", "REGION=eu")
    else:
        assert crossfade("pipeline", "terminate", "1").code == 0

    assert crossfade("pipeline", "restart", "1").code == 0
    assert "say | eu of-the-pipeline ***" in crossfade("pipeline", "resume", "1").out


def test_a_trigger_has_its_own_beside_those_of_its_pipeline(crossfade, kept, file):
    assert crossfade("pipeline", "apply", file).code == 0
    assert crossfade("pipeline", "start", "shop/web", "--trigger", "night").code == 0

    assert "say | eu of-the-pipeline *** yes" in crossfade("pipeline", "resume", "1").out


def test_a_step_gives_them_to_the_build_that_it_starts(crossfade, kept, tmp_path):
    child, parent = tmp_path / "child.yml", tmp_path / "parent.yml"
    child.write_text(PIPELINE.replace("[staging, tokens]", "[]"))
    parent.write_text(
        "version: '1.0'\nsteps:\n  run:\n    type: codefresh-run\n"
        "    arguments: {PIPELINE_ID: shop/web, CONTEXT: [staging, tokens], DETACH: true}\n"
    )
    assert crossfade("pipeline", "apply", str(child)).code == 0

    assert crossfade("pipeline", "run", str(parent)).code == 0
    assert "say | eu of-the-pipeline ***" in crossfade("pipeline", "resume", "2").out


def test_values_of_secret_ones_are_never_shown(crossfade, kept, tmp_path):
    shown = crossfade("context", "show", "tokens", "-o", "json")

    assert shown.data["spec"] == {"type": "secret", "data": {"TOKEN": "***"}}
    listed = crossfade("context", "list").out + crossfade("context", "list", "-o", "json").out
    assert "hunter2" not in shown.out + listed + crossfade("context", "show", "tokens").out
    assert "staging  config  REGION, COLOUR" in listed


def test_a_mapping_comes_from_a_file_or_from_standard_input(crossfade, tmp_path, monkeypatch):
    path = tmp_path / "values.yml"
    path.write_text("favorite: {drink: coffee, food: pizza}\non: yes\n")
    assert crossfade("context", "create", "yaml", "food", "--file", str(path)).code == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"A": "1"}')))
    assert crossfade("context", "create", "secret", "s", "-f", "-", "-v", "B=2").code == 0

    spec = crossfade("context", "show", "food", "-o", "json").data["spec"]
    assert spec["data"]["favorite"] == {"drink": "coffee", "food": "pizza"}
    assert "favorite  {" in crossfade("context", "show", "food").out
    assert list(crossfade("context", "show", "s", "-o", "json").data["spec"]["data"]) == ["A", "B"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create", "config", "a"), 2, "needs at least one variable"),
        (("create", "config", "a", "-v", "NOT_SET_ANYWHERE"), 2, "is not in the environment"),
        (("create", "config", "../a", "-v", "X=1"), 2, "is not the name of a shared"),
        (("create", "secret", "a", "-v", "1X=geheim"), 2, "'1X' is not the name of a variable"),
        (("create", "secret", "a", "-f", "/nowhere"), 3, "/nowhere"),
        (("create", "config", "staging", "-v", "X=1"), 5, "--replace"),
        (("show", "nothing"), 3, "known: night, staging, tokens"),
        (("delete", "nothing"), 3, "no shared configuration `nothing`"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_way_out(crossfade, kept, arguments, code, said):
    ran = crossfade("context", *arguments)

    assert ran.code == code, ran.err
    assert said in ran.err
    assert "hint:" in ran.err
    assert "geheim" not in ran.err


@pytest.mark.parametrize("text", ["- geheim\n", "a: [geheim\n", "just geheim", ""])
def test_a_file_that_is_no_mapping_is_refused_without_showing_it(crossfade, tmp_path, text):
    path = tmp_path / "values.yml"
    path.write_text(text)

    ran = crossfade("context", "create", "secret", "a", "-f", str(path))

    assert ran.code == 2
    assert "geheim" not in ran.err


def test_one_that_pipelines_list_is_removed_only_by_force(crossfade, kept, file):
    crossfade("pipeline", "apply", file)

    refused = crossfade("context", "delete", "night")
    assert refused.code == 5
    assert "listed by shop/web" in refused.err
    assert crossfade("context", "delete", "night", "--force").code == 0
