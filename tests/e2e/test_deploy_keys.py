"""A build clones a repository over ssh that only the key of its integration may read."""

import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from crossfade.cli.main import main
from crossfade.testing.free_ports import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
WAIT_SECONDS = 20

pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh-keygen") is None, reason="needs OpenSSH"
)


def run(*command: str, folder: Path | None = None) -> str:
    words = [shutil.which(command[0]) or command[0], *command[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def key(path: Path) -> str:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path))
    return Path(f"{path}.pub").read_text().strip()


@pytest.fixture
def server(tmp_path):
    """Serves a repository to the owner of one key; yields its address and its host key."""
    host, allowed = key(tmp_path / "host"), key(tmp_path / "deploy")
    (tmp_path / "authorized").write_text(
        f'command="git-upload-pack {tmp_path}/web.git" {allowed}\n'
    )
    own = ("-c", "user.name=ann", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    (tmp_path / "web").mkdir()
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "Begin")):
        run("git", *own, *words, folder=tmp_path / "web")
    run("git", "clone", "-q", "--bare", "web", "web.git", folder=tmp_path)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it wants this folder, whatever it serves
    port = free_port()
    options = {
        "Port": str(port),
        "ListenAddress": "127.0.0.1",
        "HostKey": str(tmp_path / "host"),
        "AuthorizedKeysFile": str(tmp_path / "authorized"),
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "PidFile": "none",
    }
    config = tmp_path / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + WAIT_SECONDS
    while not answers(port):
        assert time.monotonic() < deadline, "sshd does not come up"
        time.sleep(0.05)
    address = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{tmp_path}/web.git"
    yield address, f"[127.0.0.1]:{port} {host}\n"
    process.terminate()
    process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def secrets(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home/secrets"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.timeout(60)
def test_a_clone_has_the_key_of_its_integration_and_nobody_else_sees_it(
    tmp_path, server, secrets, capsys
):
    address, hosts = server
    private = (tmp_path / "deploy").read_text()
    (secrets / "git-key-acme").write_text(private)
    (secrets / "git-hosts-acme").write_text(hosts)
    file = tmp_path / "codefresh.yml"
    file.write_text(
        f"""version: '1.0'
steps:
  clone: {{type: git-clone, repo: '{address}', revision: main, git: acme}}
  other: {{type: git-clone, repo: '{address}', fail_fast: false, git: somebody}}
  look: {{image: alpine, commands: ['test -d web', 'test -z "$GIT_SSH_KEY"', 'env']}}
"""
    )

    assert main(["pipeline", "run", str(file), "--output", "json"]) == 0

    said = capsys.readouterr()
    steps = json.loads(said.out)["steps"]
    assert (steps["clone"]["result"], steps["other"]["result"]) == ("success", "failure")
    line = private.splitlines()[1]
    assert line not in said.out + said.err
    kept = [each for each in (tmp_path / "home/pipelines").rglob("*") if each.is_file()]
    assert not [each for each in kept if line.encode() in each.read_bytes()]
