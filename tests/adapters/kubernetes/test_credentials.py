"""Kubeconfigs as people have them, good and bad."""

import json
import subprocess
import sys

import pytest

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import Denied, Unavailable
from crossfade.core.fleet.cluster import Cluster

TEXT = """
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:1"{cluster}}}}}]
users: [{{name: u, user: {user}}}]
contexts: [{{name: test, context: {{cluster: c, user: u}}}}, {{name: odd, context: {{cluster: d}}}}]
"""


@pytest.fixture
def ask(tmp_path):
    async def asked(text, context="test"):
        file = tmp_path / "kubeconfig"
        if text is not None:
            file.write_text(text)
        api = KubeApi(Cluster("aws", context, str(file)), seconds=2)
        try:
            await api.get("/version")
        finally:
            await api.close()

    return asked


@pytest.mark.parametrize(
    ("text", "context", "words"),
    [
        (None, "test", "kubeconfig file cannot be read"),
        ("", "test", "is no kubeconfig"),
        ("a: [", "test", "is no kubeconfig"),
        ("- a", "test", "is no kubeconfig"),
        (TEXT.format(cluster="", user="{token: x}"), "other", "no whole context `other`"),
        (TEXT.format(cluster="", user="{token: x}"), "odd", "no whole context `odd`"),
        (
            TEXT.format(cluster=", certificate-authority: /nowhere", user="{token: x}"),
            "test",
            "certificate or key",
        ),
        (TEXT.format(cluster="", user="{}"), "test", "cannot be reached"),
    ],
)
async def test_what_is_wrong_with_it_is_told(ask, text, context, words):
    with pytest.raises(Unavailable) as raised:
        await ask(text, context)
    assert words in raised.value.what
    assert raised.value.hint
    assert raised.value.facts["cluster"] == "aws"


def plugin(version, script):
    command = json.dumps({"apiVersion": version, "command": sys.executable, "args": ["-c", script]})
    return TEXT.format(cluster="", user=f"{{exec: {command}}}")


async def test_a_credential_plugin_that_fails_is_told_apart_from_silence(ask):
    text = plugin("client.authentication.k8s.io/v1beta1", "raise SystemExit('log in first')")
    with pytest.raises(Denied) as raised:
        await ask(text)
    assert "log in first" in raised.value.what


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_credential_plugins_of_both_versions_get_as_far_as_the_cluster(
    ask, tmp_path, version
):
    asked = tmp_path / "asked"
    script = (
        "import json, os, pathlib;"
        f"pathlib.Path({str(asked)!r}).write_text(os.environ.get('KUBERNETES_EXEC_INFO', '{{}}'));"
        "print(json.dumps({'status': {'token': 'x'}}))"
    )
    with pytest.raises(Unavailable) as raised:
        await ask(plugin(f"client.authentication.k8s.io/{version}", script))
    assert "cannot be reached" in raised.value.what
    if version == "v1":
        assert json.loads(asked.read_text())["apiVersion"] == "client.authentication.k8s.io/v1"


async def test_a_kind_of_credentials_that_cannot_be_used_says_so(ask):
    with pytest.raises(Denied) as raised:
        await ask(TEXT.format(cluster="", user="{auth-provider: {name: gcp}}"))
    assert "cannot be used" in raised.value.what


THREE_AT_ONCE = """
import sys, threading, time
from crossfade.adapters.kubernetes.credentials import connect
from crossfade.core.fleet.cluster import Cluster

def slowly(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "get_class_annotations":
        time.sleep(0.05)  # the moment in which the parser must not be met by another thread

threading.setprofile(slowly)
together = threading.Barrier(3)

def read():
    together.wait()
    connect(Cluster("aws", "test", sys.argv[1]), 5.0)

threads = [threading.Thread(target=read) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_a_hub_that_reads_several_kubeconfigs_at_once_lives(tmp_path):
    file = tmp_path / "kubeconfig"
    file.write_text(TEXT.format(cluster="", user="{token: t}"))
    read = subprocess.run(
        [sys.executable, "-c", THREE_AT_ONCE, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert read.returncode == 0, read.stderr  # -11 is a segmentation fault
    assert read.stderr == ""
