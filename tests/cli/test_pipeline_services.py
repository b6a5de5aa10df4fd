"""Services beside steps, compositions and integration tests, as processes that really run."""

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.testing.free_ports import free_port

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")

SERVER = """import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ["ANSWER"].encode())
    def log_message(self, *_): pass
print("listening", flush=True)
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""
ASK = """import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print("answer:", opener.open(sys.argv[1], timeout=5).read().decode())
"""


@pytest.fixture
def run(crossfade, tmp_path, left):
    """Run a pipeline on a folder with a server and one who asks it."""
    source = tmp_path / "app"
    source.mkdir()
    (source / "server.py").write_text(SERVER)
    (source / "ask.py").write_text(ASK)

    def go(steps, *more):
        file = tmp_path / "codefresh.yml"
        file.write_text(f"version: '1.0'\nsteps:\n{steps}")
        return crossfade("pipeline", "run", str(file), "--local-dir", str(source), *more)

    go.source = source
    yield go
    assert left(tmp_path) == []


def server(port, name="web", answer="hello", more=""):
    return f"""        {name}:
          image: python:3
          command: [python3, /app/server.py, {name}, '{port}']
          environment: [ANSWER={answer}]
          volumes: ['.:/app']
{more}"""


def test_a_step_finds_its_services_by_name_once_they_are_ready(run):
    port = free_port()
    ran = run(f"""  test:
    image: python:3
    commands: ['python3 ask.py http://web:{port}', 'python3 ask.py http://other:{port}']
    services:
      composition:
{server(port)}{server(port, "other", "from the other")}      readiness:
        image: python:3
        periodSeconds: 0.2
        failureThreshold: 50
        commands: ['cd app; python3 ask.py http://web:{port}; python3 ask.py http://other:{port}']
      setup: {{image: alpine, commands: ['echo filled > filled']}}
  see: {{image: alpine, commands: ['cat ../filled', 'getent hosts web || echo gone']}}
""")  # fmt: skip

    assert ran.code == 0, ran.out
    assert "answer: hello" in ran.out
    assert "answer: from the other" in ran.out  # on the same port, at an address of its own
    assert "web | listening" in ran.out
    assert "see        | filled" in ran.out
    assert "see        | gone" in ran.out


def test_services_that_never_get_ready_fail_the_step_before_it_runs(run):
    ran = run("""  test:
    image: alpine
    commands: ['echo never']
    services:
      composition: {web: {image: alpine, command: sleep 600}}
      readiness: {image: alpine, periodSeconds: 0.05, failureThreshold: 2, commands: ['false']}
""")

    assert ran.code == 1
    assert "the services are not ready: 2 tries failed" in ran.out
    assert "| never" not in ran.out


@pytest.mark.parametrize(("code", "result"), [(0, 0), (3, 1)])
def test_the_candidates_of_a_composition_decide(run, code, result):
    port = free_port()
    (run.source / "compose.yml").write_text(f"""version: '3'
services:
  web:
    image: python:3
    command: [python3, /app/server.py, web, '{port}']
    environment: {{ANSWER: "${{{{SAID}}}} $HOME"}}
    volumes: ['.:/app']
    ports: ['{port}:{port}']
    healthcheck: {{test: python3 /app/ask.py http://web:{port}, interval: 100ms, retries: 50}}
""")
    ran = run(f"""  test:
    type: composition
    composition: ./compose.yml
    composition_variables: [SAID=good]
    composition_candidates:
      first:
        image: python:3
        depends_on: {{web: {{condition: service_healthy}}}}
        working_dir: /codefresh/volume/app
        command: sh -c "python3 ask.py http://web:{port}; cf_export FOUND=$SAID; exit {code}"
        environment: [SAID=mine]
  see: {{image: alpine, commands: ['echo "found $FOUND"']}}
""")

    assert ran.code == result, ran.out
    assert "answer: good $HOME" in ran.out
    if code == 0:
        assert "found mine" in ran.out
    else:
        assert "first ends with exit code 3" in ran.out


def test_an_integration_test_runs_beside_its_services(run):
    port = free_port()
    (run.source / "Dockerfile").write_text(
        f"""FROM host\nCOPY server.py /\nCMD ["python3", "/server.py", "web", "{port}"]\n"""
    )
    ran = run(f"""  make: {{type: build, image_name: web, tag: '1'}}
  test:
    type: integration-test
    services:
      web: {{image: '${{{{make}}}}', environment: {{ANSWER: hello}}, ports: [{port}]}}
    test:
      image: python:3
      working_directory: ./
      commands:
      - 'for i in 1 2 3 4 5 6 7 8 9; do python3 ask.py http://web:{port} && exit 0; sleep 0.2; done; exit 1'
""")  # fmt: skip

    assert ran.code == 0, ran.out
    assert "answer: hello" in ran.out


def test_services_end_with_a_step_that_is_ended_and_keep_nothing_running(run):
    ran = run("""  test:
    image: alpine
    timeout: 1s
    commands: ['sleep 600']
    services:
      composition:
        stubborn: {image: alpine, command: [sh, -c, 'trap "" TERM; while :; do sleep 1; done']}
""")

    assert ran.code == 1  # and the fixture looks at what is left


def test_a_service_that_ends_kindly_is_let_end_kindly(run):
    ran = run("""  test:
    image: alpine
    commands: ['sleep 0.5']
    services:
      composition:
        kind: {image: alpine, command: [sh, -c, 'trap "echo goodbye; exit 0" TERM; while :; do sleep 0.1; done']}
""")  # fmt: skip

    assert ran.code == 0
    assert "kind | goodbye" in ran.out


@pytest.mark.parametrize(
    ("composition", "said"),
    [
        ("{a: {image: nope/tool, command: x}}", "the image nope/tool is neither kept here"),
        ("{a: {image: alpine}}", "a: it has no command, and its image alpine is not at hand"),
        ("{a: {image: alpine, command: x, comand: y}}", "a: `comand` is not supported"),
        ("{a: {image: alpine, command: x, volumes: ['/etc:/e']}}", "/etc is not below"),
        ("{a: {image: alpine, command: x, depends_on: [b]}}", "depends_on names no service: b"),
        ("./nowhere.yml", "there is no composition ./nowhere.yml"),
    ],
)
def test_what_cannot_be_composed_is_said(run, composition, said):
    ran = run(f"""  test:
    type: composition
    composition: {composition}
    composition_candidates: {{test: {{image: alpine, command: 'true'}}}}
""")

    assert ran.code == 1
    assert said in ran.out
    assert "Traceback" not in ran.out
