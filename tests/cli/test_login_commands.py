"""Every command does and prints the same, given on the hub's own machine or over HTTP."""

import io
import re
import signal
import threading

import pytest

from crossfade.settings import load

FILE = """
kind: pipeline
metadata: {name: shop/build}
spec:
  triggers: [{name: nightly, type: cron, expression: 0 0 * * *}]
  steps:
    unit:
      image: alpine
      commands: ["echo hello ${{WHO}}", "cf_export COLOUR=red", "echo kept > ${{CF_VOLUME_PATH}}/f.txt"]
      environment: [CROSSFADE_ARTIFACTS=f.txt]
    bad: {image: alpine, commands: ["echo oh; exit ${{CODE}}"]}
"""
HUNTER = "hunter2hunter2"
PROVIDER = ("--issuer", "https://login.example.com", "--client-id", "c", "--group", "ops=viewer")
SAME = [
    *(("edge", "list"), ("dns", "status"), ("dns", "plan", "colors"), ("dns", "plan", "x")),
    ("deploy", "colors", "--dry-run"),
    ("deploy", "colors", "--dry-run", "--set", "colour=red", "--force"),
    ("deploy", "nothing", "--dry-run"),
    *(("failover", "why", "colors"), ("failover", "why", "aws"), ("failover", "why", "nothing")),
    *(("failover", "drills"), ("failover", "abort-drill", "aws")),
    ("failover", "drill", "aws", "--yes"),
    ("failover", "drill", "aws", "--for", "1s"),
    ("account", "add", "bob", "--role", "viewer:colors", "--password-stdin"),
    ("account", "add", "bob", "--role", "viewer:colors", "--password-stdin"),
    ("account", "add", "Bob!", "--role", "viewer", "--password-stdin"),
    ("account", "grant", "bob", "--role", "releaser", "--role", "viewer:x@aws"),
    *(("account", "disable", "bob"), ("account", "enable", "bob"), ("account", "list")),
    ("account", "password", "bob", "--password-stdin"),
    *(("account", "disable", "nobody"), ("account", "disable", "ann")),
    *(("sso", "show"), ("sso", "set", *PROVIDER), ("sso", "set", *PROVIDER, "--scope", "groups")),
    *(("sso", "show"), ("sso", "remove"), ("sso", "remove")),
    *(("secret", "list"), ("secret", "set", "slack"), ("secret", "set", "slack")),
    *(("secret", "list"), ("secret", "rotate-key"), ("secret", "rotate-key", "--only-seal")),
    *(("secret", "rm", "slack"), ("secret", "rm", "slack")),
    *(("context", "list"), ("context", "create", "config", "a", "-v", "X=1"), ("context", "list")),
    *(("context", "create", "config", "a", "-v", "X=2"), ("context", "show", "a")),
    ("context", "create", "secret", "a", "-v", "X=2", "--replace"),
    *(("context", "show", "a"), ("context", "create", "config", "a/b", "-v", "X=1")),
    *(("context", "create", "config", "b"), ("context", "show", "nothing")),
    ("pipeline", "run", "FILE", "--detach", "--context", "nothing"),
    *(("context", "delete", "a"), ("context", "delete", "a"), ("context", "delete", "a/b")),
    *(("pipeline", "apply", "FILE"), ("pipeline", "apply", "FILE"), ("pipeline", "apply", "BAD")),
    *(("pipeline", "registered"), ("pipeline", "start", "nothing")),
    ("pipeline", "start", "shop/build", "--var", "WHO=ann"),
    *((("pipeline", "start", "shop/build", "--once", "k"),) * 2),
    ("pipeline", "start", "shop/build", "--trigger", "hourly"),
    ("pipeline", "start", "shop/build", "--only", "unit", "--skip", "bad"),
    ("pipeline", "start", "shop/build", "--only", "nothing"),
    ("pipeline", "start", "shop/build", "--yaml", "FILE"),
    ("pipeline", "run", "FILE", "--detach"),
    *(("pipeline", "list"), ("pipeline", "logs", "1"), ("pipeline", "logs", "9")),
    *(("pipeline", "why", "1", "unit"), ("pipeline", "why", "1", "x")),
    *(
        ("pipeline", "approve", "1"),
        ("pipeline", "deny", "1", "unit"),
        ("pipeline", "restart", "1"),
    ),
    *(("pipeline", "tests", "1"), ("pipeline", "artifacts", "1")),
    *(("pipeline", "prune", "--dry-run"), ("pipeline", "prune", "--keep-days", "0", "--dry-run")),
    *(("pipeline", "prune"), ("pipeline", "prune", "--keep-gib", "0")),
    ("pipeline", "environment", "list"),
    *(("pipeline", "environment", c, "shop/none") for c in ("logs", "end")),
    *(("pipeline", "unregister", "shop/build"), ("pipeline", "unregister", "shop/build")),
    ("audit", "verify"),
]
MASKED = (
    (r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?(Z|[+-]\d\d:\d\d)?", "TIME"),
    (r"\d{9,10}\.\d+", "TIME"),
    (r"\b[0-9a-f]{12}\b", "KEY"),
    (r"\d+ entries", "N entries"),
    (r"\(.*\)", ""),
)


def plain(text):
    for pattern, word in MASKED:
        text = re.sub(pattern, word, text)
    return text


class Both:
    """The same store twice: of this machine, and of a hub where one is signed in."""

    def __init__(self, crossfade, monkeypatch, folder, hub):
        self.crossfade, self.monkeypatch, self.folder, self.hub = (
            crossfade,
            monkeypatch,
            folder,
            hub,
        )

    def typed(self, text):
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{text}\n".encode())))

    def at(self, home, *command):
        self.monkeypatch.setenv("CROSSFADE_HOME", str(self.folder / home))
        self.typed(HUNTER)
        return self.crossfade(*command)

    def here(self, *command):
        return self.at("here", *command)

    def there(self, *command):
        return self.at("client", *command)


@pytest.fixture
def worlds(crossfade, in_memory, tmp_path, monkeypatch, worlds_on_disk):
    """Two stores with the application `colors` and the account `ann`."""
    both = Both(crossfade, monkeypatch, tmp_path, None)
    for name in ("here", "hub"):
        worlds_on_disk(tmp_path / name).run(lambda world: world.prepare())
        both.at(name, "account", "add", "ann", "--role", "admin", "--password-stdin")
        both.at(name, "account", "add", "admin", "--role", "admin:shapes", "--password-stdin")
    return both


@pytest.fixture
def both(worlds, hubs, free_port_base):
    yield from signed_in_at(worlds, hubs, free_port_base, loops=False)


def signed_in_at(worlds, hubs, free_port_base, *, loops):
    worlds.monkeypatch.setenv("CROSSFADE_PORT_BASE", str(free_port_base(1)))
    worlds.monkeypatch.setenv("CROSSFADE_HOME", str(worlds.folder / "hub"))
    worlds.hub = hubs(load(), loops=loops)
    ran = worlds.there("login", worlds.hub.url, "--name", "ann", "--password-stdin")
    assert ran.code == 0, ran.err
    yield worlds
    worlds.hub.end()


@pytest.fixture
def leading(worlds, hubs, free_port_base):
    """The same, with a hub whose loops run."""
    yield from signed_in_at(worlds, hubs, free_port_base, loops=True)


def told(ran):
    """What somebody is told: hints name requests over HTTP, and commands here."""
    return ran.code, plain(ran.out), plain(ran.err.partition("hint:")[0])


def test_commands_do_and_print_the_same_over_http_as_on_the_hubs_machine(both):
    good, bad = both.folder / "good.yml", both.folder / "bad.yml"
    good.write_text(FILE)
    bad.write_text(FILE.replace("image: alpine", "imag: alpine", 1))
    for command in SAME:
        words = [str({"FILE": good, "BAD": bad}.get(each, each)) for each in command]
        for form in ("text", "json") if command[1] in ("list", "show", "status") else ("text",):
            printed = () if command[1] == "logs" else ("-o", form)
            here, there = (run(*words, *printed) for run in (both.here, both.there))

            assert "not over HTTP" not in there.err, command
            assert told(there) == told(here), command
            assert "Traceback" not in there.err


def test_the_audit_log_tells_who_did_it_over_http(both):
    both.there("secret", "set", "slack")
    both.there("pipeline", "list")
    listed = both.there("audit", "list", "--newest", "1", "-o", "json").data["entries"]

    assert [each["what"] for each in listed] == [["secret/slack: set"]]
    assert listed[0]["who"] == "ann"
    assert listed[0]["via"].startswith("token ")
    shown = both.at("hub", "audit", "list", "--hub", "local", "-o", "json").data["entries"]
    assert both.there("audit", "list", "-o", "json").data["entries"] == shown


def test_what_takes_files_of_this_machine_is_refused_with_what_to_do(both, tmp_path):
    file = tmp_path / "p.yml"
    file.write_text(FILE)
    ran = both.there("pipeline", "run", str(file), "--local-dir", str(tmp_path))
    both.there("pipeline", "start", "nothing")

    assert ran.code == 2
    assert "names a folder of this machine, and the hub runs the build" in ran.err
    assert "--hub local" in ran.err


def lines(ran):
    """What a build printed, and its table of steps without how long they took."""
    timeless = re.sub(r"\b\d+(\.\d+)?m?s\b", "T", ran.out)
    return sorted(re.sub(" +", " ", each) for each in timeless.splitlines())


def test_a_file_is_run_by_the_hub_as_it_is_on_this_machine(leading, tmp_path):
    file = tmp_path / "p.yml"
    file.write_text(FILE)
    command = ("pipeline", "run", str(file), "--var", "WHO=ann", "--var", "CODE=3")
    here, there = leading.here(*command), leading.there(*command)

    assert (here.code, there.code) == (1, 1), there.err
    assert lines(there) == lines(here)
    assert any(each.endswith("| hello ann") for each in lines(there))
    for form in (("pipeline", "why", "1", "bad"), ("pipeline", "artifacts", "1")):
        here, there = leading.here(*form, "-o", "json"), leading.there(*form, "-o", "json")
        assert there.data == here.data
    left = ("pipeline", "artifacts", "1", "--to")
    leading.there(*left, str(tmp_path / "there"))
    assert (tmp_path / "there/f.txt").read_text() == "kept\n"
    again = leading.there("pipeline", "restart", "1")
    assert again.out == "build 1 of shop/build is left to the hub\n"
    followed = leading.there("pipeline", "logs", "1", "bad", "-f")
    assert "bad  | oh" in followed.out
    assert leading.there("pipeline", "resume", "1").code == 5


def test_a_registered_pipeline_is_waited_for_and_its_secrets_are_masked(leading, tmp_path):
    file = tmp_path / "p.yml"
    file.write_text(FILE)
    leading.there("pipeline", "apply", str(file))
    command = ("pipeline", "start", "shop/build", "--secret", "WHO=hunter2", "--var", "CODE=0")
    ran = leading.there(*command, "--follow")
    data = leading.there(*command, "--wait", "-o", "json").data

    assert ran.code == 0, ran.err
    assert "hunter2" not in ran.out
    assert "| hello ***" in ran.out
    assert data["result"] == "success"
    assert data["variables"] == {"COLOUR": "red"}


def test_where_steps_run_is_said_over_http_too(leading, tmp_path):
    file = tmp_path / "p.yml"
    file.write_text(FILE)
    command = ("pipeline", "run", str(file), "--var", "CODE=0", "--var", "WHO=x", "--runner")
    refused = [run(*command, "pod", "--cluster", "mars") for run in (leading.here, leading.there)]
    ran = leading.there(*command, "process")

    assert told(refused[1]) == told(refused[0])
    assert refused[1].code != 0
    assert ran.code == 0, ran.err


def test_an_interrupted_client_ends_its_build(leading, tmp_path):
    file = tmp_path / "p.yml"
    file.write_text(FILE.replace("echo hello", "sleep 60; echo hello"))
    threading.Timer(3.0, lambda: signal.raise_signal(signal.SIGINT)).start()
    ran = leading.there("pipeline", "run", str(file), "--var", "CODE=0")

    assert ran.code == 1
    assert "ending the build; once more leaves it to the hub" in ran.err
    assert "build 1: terminated" in ran.out
