"""Manifests mean to us what they mean to Helm, in both directions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.adapters.helm import manifest_text
from crossfade.base.errors import InputError

HELM = Path(sys.executable).parent / "helm"


def helm_reads(folder: Path, text: str) -> object:
    """Return what Helm takes one YAML document for."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    (folder / "data.yaml").write_text(text)
    template = "apiVersion: v1\nkind: X\ndata: {{ .Files.Get `data.yaml` | fromYaml | toJson }}\n"
    (folder / "templates" / "x.yaml").write_text(template)
    done = subprocess.run([HELM, "template", "x", folder], capture_output=True, check=True)
    return json.loads(done.stdout.decode().partition("data: ")[2])


TRICKY = """
octal: 0644
new-octal: 0o17
hex: 0x1F
thousand: 1_000
power: 1e3
dot: 1.
half: .5
minus: -1.5e-3
clock: 1:30
date: 2026-01-01
yes: yes
no: no
on: on
off: OFF
y: y
tilde: ~
nothing:
text: "true"
version: "2.10"
equals: "="
plus: +1
zero: 0
sign: -0
block: |
  a
   b
folded: >
  a
  b
"""


def test_scalars_that_readers_of_yaml_disagree_about_are_read_as_helm_reads_them(tmp_path):
    ours = manifest_text.read(TRICKY)[0]
    assert json.loads(json.dumps(ours)) == helm_reads(tmp_path, TRICKY)


TORN_BY_HELM = "\ufffe\uffff"
"""Helm reads them where they are escaped; its `toJson`, by which we ask it, does not escape them."""
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters=TORN_BY_HELM),
    max_size=12,
)
words = st.sampled_from(
    ["yes", "no", "on", "y", "N", "null", "~", "1e3", "0o7", "007", "1_0", "1:30", "2026-01-01",
     "-", "--- ", "#x", "a: b", "a #b", "{{x}}", "=", "<<", "!x", "&x", "*x", "%", "@", "`", "|",
     " x", "x ", "\n",
     "a\nb", "a\n b\n", "\ttab", "0x1F", ".inf", "1.", ".5", "true", "é", "\u2028"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | words,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts | words, below, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(texts | words, values, min_size=1, max_size=5))
def test_what_is_written_is_read_back_the_same(value):
    assert manifest_text.read(manifest_text.write([value])) == [value]


@given(st.lists(st.dictionaries(texts | words, values, min_size=1), min_size=20, max_size=20))
@settings(max_examples=5, deadline=None)
def test_what_is_written_means_the_same_to_helm(tmp_path_factory, documents):
    folder = tmp_path_factory.mktemp("chart")
    whole = {f"k{index}": document for index, document in enumerate(documents)}
    assert helm_reads(folder, manifest_text.write([whole])) == whole


def test_text_of_many_lines_stays_readable():
    assert "|" in manifest_text.write([{"data": {"app.py": "import sys\nprint(1)\n"}}])


def test_broken_text_is_refused_with_its_place():
    with pytest.raises(InputError) as raised:
        manifest_text.read("a: b\nc: [1\nd: 2\n")
    assert raised.value.facts["line"] == 3


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "? " * 50_000, "{a: " * 50_000])
def test_deep_nesting_is_refused_and_does_not_end_the_process(text):
    with pytest.raises(InputError):
        manifest_text.read(text)
