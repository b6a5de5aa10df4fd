"""`${{secrets.STORE.KEY}}`: read when a step starts, in no log and in no store."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

VALUE = "hunter2hunter2"
PIPELINE = """version: '1.0'
kind: pipeline
metadata: {name: shop/web}
spec:
  variables: [{key: MINE, value: 'x-${{secrets.vault.team/db@password}}'}]
  steps:
    say:
      image: alpine
      environment: ['TOKEN=${{secrets.tokens.NPM}}']
      commands:
      - echo $TOKEN $MINE ${{secrets.vault.team/db@password}}
      - echo $TOKEN $MINE ${{secrets.vault.team/db@password}} | rev
    clean: {image: alpine, commands: ['echo again $MINE | rev']}
"""


@pytest.fixture
def vault():
    """Answers as Vault does, with one secret."""

    class Vault(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            known = self.headers["X-Vault-Token"] == "s.1234567"
            there = self.path == "/v1/secret/data/team/db"
            status = self.server.status if known and there else 403
            said = {"data": {"data": {"password": VALUE}}}
            body = json.dumps(said if status == 200 else {"errors": ["permission denied"]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Vault)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pipeline.yml"
    path.write_text(PIPELINE)
    return str(path)


@pytest.fixture
def stores(crossfade, vault, monkeypatch):
    monkeypatch.setenv("NPM", "npm_abcdefgh")
    monkeypatch.setenv("token", "s.1234567")
    address = f"address=http://127.0.0.1:{vault.server_port}"
    kind = "secret-store.hashicorp-vault"
    made = [
        crossfade("context", "create", "secret", "tokens", "-v", "NPM"),
        crossfade("context", "create", kind, "vault", "-v", address, "-v", "token"),
    ]
    monkeypatch.delenv("NPM")
    monkeypatch.delenv("token")
    assert [each.code for each in made] == [0, 0], made
    assert "s.1234567" not in crossfade("context", "show", "vault", "-o", "json").out
    return vault


def test_a_step_has_the_values_and_nothing_that_is_kept_has_them(crossfade, stores, file, tmp_path):
    ran = crossfade("pipeline", "run", file)

    assert ran.code == 0, ran.err
    assert "say   | *** *** ***\n" in ran.out
    assert VALUE[::-1] in ran.out  # so the step really had it
    kept = [each for each in (tmp_path / "state").rglob("*") if each.is_file()]
    assert len(kept) > 5
    found = [each for each in kept if any(s in each.read_bytes() for s in (b"hunter2", b"npm_abc"))]
    assert found == []


def test_a_store_that_refuses_fails_the_step_and_says_which_reference_it_is_about(
    crossfade, stores, file
):
    stores.status = 403
    ran = crossfade("pipeline", "run", file)
    assert ran.code == 1
    assert "${{secrets.vault.team/db@password}}: Vault answers 403: permission denied" in ran.out


def test_a_reference_to_nothing_is_refused_before_anything_runs_with_its_line(
    crossfade, stores, file
):
    crossfade("context", "delete", "tokens")
    ran = crossfade("pipeline", "run", file)
    assert ran.code == 2
    assert "line 7: say: ${{secrets.tokens.NPM}}: there is no shared configuration" in ran.err
    assert crossfade("pipeline", "list", "-o", "json").data == []


def test_a_key_that_a_secret_has_not_fails_the_step_with_those_it_has(crossfade, stores, tmp_path):
    path = tmp_path / "other.yml"
    path.write_text(
        "version: '1.0'\nsteps:\n  a: {image: alpine, commands: ['echo ${{secrets.tokens.NO}}']}\n"
    )
    ran = crossfade("pipeline", "run", str(path))
    assert ran.code == 1
    assert "`tokens` has no `NO`; it has: NPM" in ran.out


def test_a_store_has_no_variables_to_list_and_unknown_kinds_are_refused_by_name(
    crossfade, stores, file
):
    listed = crossfade("pipeline", "run", file, "--context", "vault")
    assert listed.code == 2
    assert "`vault` is of type secret-store.hashicorp-vault" in listed.err
    azure = crossfade("context", "create", "secret-store.azure-keyvault", "az", "-v", "a=b")
    assert azure.code == 2
    assert "secret-store.azure-keyvault" in azure.err
    assert "secret-store.kubernetes" in azure.err


def test_a_build_that_is_killed_and_gone_on_with_masks_what_its_steps_were_given(
    crossfade, stores, tmp_path
):
    path = tmp_path / "long.yml"
    path.write_text(
        "version: '1.0'\nsteps:\n  a:\n    image: alpine\n"
        "    environment: ['TOKEN=${{secrets.tokens.NPM}}']\n"
        "    commands: ['echo $TOKEN; touch began; while [ ! -e go ]; do sleep 0.05; done',"
        " 'echo $TOKEN']\n"
    )
    command = [sys.executable, "-m", "crossfade.cli.main", "pipeline", "run", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    volume, until = tmp_path / "state/pipelines/1/volume", time.monotonic() + 60
    while not (volume / "began").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    process.kill()
    process.wait()
    crossfade("context", "delete", "tokens")
    (volume / "go").touch()

    ran = crossfade("pipeline", "resume", "1")

    assert ran.code == 0, ran.err
    assert crossfade("pipeline", "logs", "1").out.count("***") == 2
    assert "npm_abc" not in ran.out + ran.err
