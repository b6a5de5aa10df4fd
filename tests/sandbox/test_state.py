"""What a sandbox is asked to be, and what it keeps."""

import pytest

from crossfade.base.errors import InputError, NotFound
from crossfade.sandbox import state


def test_every_cloud_has_ports_of_its_own(tmp_path):
    names = [f"cloud-{number}" for number in range(10)]
    layout = state.new_layout(tmp_path, names, 17000)
    assert len(layout.own_ports()) == 2 + 30
    assert layout.ports("cloud-0") == state.CloudPorts(17100, 17101, 17102)
    assert layout.ports("cloud-9").gateway == 17191
    assert layout.hub_port not in layout.own_ports()


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a"] * 2,
        [f"c{number}" for number in range(11)],
        ["Upper"],
        ["-a"],
        ["a-"],
        ["a_b"],
        ["../x"],
        [""],
        ["a" * 41],
        ["ä"],
        ["a\n"],
    ],
)
def test_names_that_cannot_be_clouds_are_refused_with_a_hint(tmp_path, names):
    with pytest.raises(InputError) as refused:
        state.new_layout(tmp_path, names, 17000)
    assert refused.value.hint


@pytest.mark.parametrize("base", [0, 80, 1023, 65400, -1])
def test_ports_out_of_range_are_refused(tmp_path, base):
    with pytest.raises(InputError):
        state.new_layout(tmp_path, ["a"], base)


def test_a_layout_is_read_back_as_it_was_written(tmp_path):
    layout = state.new_layout(tmp_path / "new", ["on", "123"], 20000)
    state.save(layout)
    assert state.load(tmp_path / "new") == layout
    assert state.load(tmp_path / "other") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"clouds": 1, "port_base": 1}', "\x00"])
def test_a_damaged_layout_is_an_error_with_a_way_out(tmp_path, text):
    (tmp_path / "sandbox.json").write_text(text)
    with pytest.raises(InputError) as refused:
        state.load(tmp_path)
    assert "sandbox down" in refused.value.hint


def test_an_unknown_cloud_is_told_with_those_that_exist(tmp_path):
    with pytest.raises(NotFound) as missing:
        state.new_layout(tmp_path, ["aws", "gcp"], 17000).ports("azure")
    assert "aws, gcp" in missing.value.hint
