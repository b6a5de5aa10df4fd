"""Definitions of typed steps, and what they refuse."""

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crossfade.adapters.pipelines.definitions import fetched, read_definitions
from crossfade.adapters.pipelines.judging import judge
from crossfade.base.errors import InputError, NotFound, Unavailable

STEP = """
version: '1.0'
kind: step-type
metadata: {name: shop/notify, version: 1.2.0}
spec:
  arguments: |-
    {"type": "object", "additionalProperties": false, "required": ["CHANNEL"],
     "properties": {"CHANNEL": {"type": "string"}, "LEVEL": {"type": "string", "enum": ["info", "error"]},
                    "TIMES": {"type": ["integer", "null"], "default": 1}}}
  returns: {type: object, properties: {ID: {type: string}}}
  steps:
    main: {name: main, image: alpine, commands: ['echo ${{CHANNEL}}']}
"""
USE = "version: '1.0'\nsteps:\n  n:\n    type: shop/notify:1.2.0\n    arguments: %s\n"


@pytest.fixture
def definitions(tmp_path):
    (tmp_path / "notify").mkdir()
    (tmp_path / "notify/step.yaml").write_text(STEP)
    (tmp_path / "older.yml").write_text(STEP.replace("1.2.0", "1.1.0-rc.1"))
    (tmp_path / "README.md").write_text("no definition")
    return read_definitions(str(tmp_path))


def test_a_definition_says_what_a_step_takes_and_gives(definitions):
    newest = max(definitions["shop/notify"], key=lambda each: each.version)

    assert (newest.version, newest.more, newest.returns) == ("1.2.0", False, ("ID",))
    assert newest.arguments["CHANNEL"].required
    assert newest.arguments["TIMES"].default == 1
    assert list(newest.steps) == ["main"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{CHANNEL: x, LEVEL: info, TIMES: 2}", None),
        ('{CHANNEL: "${{X}}", LEVEL: "${{Y}}", TIMES: null}', None),
        ("{LEVEL: info}", "steps.n.arguments.CHANNEL: is missing: shop/notify asks for it"),
        ("{CHANNEL: 1}", "steps.n.arguments.CHANNEL: 1 is not allowed; allowed: string"),
        ("{CHANNEL: x, LEVEL: inf}", 'allowed: info, error; did you mean "info"?'),
        ("{CHANEL: x}", 'shop/notify has no argument "CHANEL"'),
    ],
)
def test_arguments_are_checked(definitions, arguments, message):
    judged = judge(USE % arguments, definitions)
    errors = [f"{each.path}: {each.message}" for each in judged.errors]

    assert not errors if message is None else any(message in each for each in errors), errors


def test_a_version_that_is_not_there_is_told(definitions):
    judged = judge(USE.replace("1.2.0", "9.0.0") % "{CHANNEL: x}", definitions)

    assert "there are" in judged.warnings[0].message


def test_without_a_version_the_latest_one_is_asked(definitions):
    judged = judge(USE.replace(":1.2.0", "") % "{}", definitions)

    assert [each.path for each in judged.errors] == ["steps.n.arguments.CHANNEL"]


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(NotFound):
        read_definitions(str(tmp_path / "nope"))
    with pytest.raises(Unavailable):
        read_definitions("http://127.0.0.1:9/steps.yaml")
    for text in ("kind: [", "kind: step-type\n", STEP.replace('{"type"', "{type")):
        (tmp_path / "step.yaml").write_text(text)
        with pytest.raises(InputError, match=r"step.yaml"):
            read_definitions(str(tmp_path))


class Endless(BaseHTTPRequestHandler):
    """Answers without an end."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            for _ in range(64):  # a little more than anybody may take in
                self.wfile.write(b"#" * 65536)

    def log_message(self, *_):
        pass


def test_an_address_that_gives_without_an_end_fills_no_memory():
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(InputError, match="more than 1048576 bytes"):
                fetched(f"http://127.0.0.1:{server.server_port}/steps.yaml")
        finally:
            server.shutdown()
