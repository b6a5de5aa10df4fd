"""Pipeline files as a whole."""

from random import Random

import yaml

from crossfade.adapters.pipelines.judging import judge
from crossfade.core.pipeline.findings import Verdict
from crossfade.testing.pipeline_documents import documents, mutated, scrambled

GOOD = "version: '1.0'\nsteps:\n  a: {image: alpine}\n"


def test_a_file_is_accepted_warned_of_or_refused():
    assert judge(GOOD).verdict is Verdict.OK
    assert judge(GOOD.replace("image", "comands: [x], image")).verdict is Verdict.WARNING
    assert judge(GOOD.replace("image", "imag")).verdict is Verdict.SCHEMA_ERROR
    assert judge(GOOD.replace("image", "{{")).verdict is Verdict.YAML_ERROR


def test_every_document_of_a_file_counts():
    judged = judge(f"{GOOD}---\n{GOOD}---\nversion: '1.0'\n")

    assert judged.verdict is Verdict.SCHEMA_ERROR
    assert [(each.at.line, each.path) for each in judged.errors] == [(9, "steps")]
    assert judged.pipelines == ()
    assert len(judge(f"{GOOD}---\n{GOOD}").pipelines) == 2


def test_a_manifest_is_a_pipeline_too():
    text = "version: '1.0'\nkind: pipeline\nmetadata: {name: p/x}\nspec:\n  steps:\n    a: {image: x, stage: nope}\n"
    judged = judge(text)

    assert [(each.at.line, each.at.column) for each in judged.errors] == [(6, 26)]
    assert judge(text.replace(", stage: nope", "")).pipelines[0].name == "p/x"


def test_tabs_are_refused_after_yaml_has_been_read():
    judged = judge(GOOD + "# a \t comment\n")

    assert (judged.verdict, judged.errors[0].at.line) == (Verdict.SCHEMA_ERROR, 4)


def test_no_text_whatever_raises():
    random = Random(3)  # noqa: S311 - the same inputs each time
    texts = [yaml.safe_dump(each, sort_keys=False) for each in documents()]
    for _ in range(40):
        judge(scrambled(random.choice(texts), random))
        judge(yaml.safe_dump(mutated(random.choice(documents()), random)))
