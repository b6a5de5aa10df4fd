"""The list of mutants: each one can be put into the code as it is now."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools/mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutants"]


def test_no_mutant_is_about_code_that_has_changed(tool):
    misfits = {each.name: tool.misfit(each) for each in tool.mutants()}

    assert {name: why for name, why in misfits.items() if why} == {}


def test_every_mutant_names_tests_that_exist(tool):
    paths = {test for each in tool.mutants() for test in each.tests if test.startswith("tests/")}

    assert [path for path in sorted(paths) if not (ROOT / path.partition("::")[0]).exists()] == []


def test_a_mutant_that_nothing_notices_is_told(tool, tmp_path, capsys, monkeypatch):
    (tmp_path / "mutants.toml").write_text(
        '[[mutant]]\nname = "harmless"\nfile = "base/units.py"\n'
        "find = 'Durations as people write them.'\nreplace = 'Durations.'\n"
        'tests = ["tests/base/test_units.py"]\n'
    )
    monkeypatch.setattr(tool, "TABLE", tmp_path / "mutants.toml")

    assert tool.main([]) == 1
    assert "SURVIVED" in capsys.readouterr().out
