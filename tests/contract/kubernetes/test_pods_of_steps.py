"""What steps of pipelines need of pods: logs from a time on, files that are shared, names."""

import shutil

import pytest

from crossfade.testing.kube_api import eventually

ECHO = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = b" ".join([self.path.encode(), self.headers["X-Word"].encode(), body])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("", int(os.environ.get("PORT", 8080))), Handler).serve_forever()
"""
LONG = "import sys; sys.stdout.write('x' * 50_000); sys.stdout.flush(); print('y'); print('z')"
NAMES = "import socket; print(socket.gethostbyname('db'), flush=True)"

needs_namespaces = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")


@pytest.fixture
def pods(namespace) -> str:
    """The path of the Pods of the test's namespace."""
    return f"/api/v1/namespaces/{namespace}/pods"


def _run(api, pods, name, spec) -> dict:
    api.ok("POST", pods, {"metadata": {"name": name}, "spec": {**spec, "restartPolicy": "Never"}})
    over = ("Succeeded", "Failed")
    eventually(lambda: api.get(f"{pods}/{name}")["status"]["phase"] in over)
    return api.get(f"{pods}/{name}")


def _log(api, pods, name, **params) -> str:
    return api.call("GET", f"{pods}/{name}/log", params=params).text


def test_what_a_pod_is_told_is_passed_on_whole(api, pods, pod_spec, endpoints):
    spec = pod_spec(ECHO, container={"ports": [{"containerPort": 8080, "name": "web"}]})
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})

    def answers() -> bool:
        path, headers = f"{pods}/p:8080/proxy/deep/place", {"X-Word": "told"}
        answer = api.call("POST", path, content=b"\x00data", headers=headers)
        return (answer.status_code, answer.content) == (200, b"/deep/place told \x00data")

    eventually(answers)


def test_lines_of_a_log_are_given_from_a_time_on(api, pods, pod_spec):
    program = "import time; print('old', flush=True); time.sleep(2.1); print('new', flush=True)"
    _run(api, pods, "p", pod_spec(program))
    whole = _log(api, pods, "p", timestamps="true").splitlines()
    assert [line.split()[1] for line in whole] == ["old", "new"]

    since = whole[1].split()[0]

    assert _log(api, pods, "p", sinceTime=since) == "new\n"
    assert api.call("GET", f"{pods}/p/log", params={"sinceTime": "soon"}).status_code == 400


def test_a_long_line_of_a_log_has_one_time(api, pods, pod_spec):
    _run(api, pods, "p", pod_spec(LONG))

    lines = _log(api, pods, "p", timestamps="true").splitlines()

    texts = [line.split(" ", 1)[1] for line in lines]
    assert texts == ["x" * 50_000 + "y", "z"]


@needs_namespaces
def test_pods_share_a_claim_and_see_parts_of_it(api, namespace, pods, pod_spec):
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    api.ok("POST", claims, {"metadata": {"name": "c"}, "spec": claim})
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    whole = {"volumeMounts": [{"name": "v", "mountPath": "/whole"}]}
    write = "import os; os.makedirs('/whole/a'); open('/whole/a/f', 'w').write('shared')"
    _run(api, pods, "p", pod_spec(write, container=whole, volumes=volumes))
    parts = [
        {"name": "v", "mountPath": "/parts/folder", "subPath": "a"},
        {"name": "v", "mountPath": "/parts/folder/over", "subPath": "a/f"},
    ]

    read = "print(open('/parts/folder/f').read(), open('/parts/folder/over').read())"
    _run(api, pods, "q", pod_spec(read, container={"volumeMounts": parts}, volumes=volumes))

    assert _log(api, pods, "q") == "shared shared\n"


@needs_namespaces
def test_a_pod_may_add_names_of_machines(api, pods, pod_spec):
    aliases = [{"ip": "127.64.0.9", "hostnames": ["db", "database"]}]
    _run(api, pods, "p", pod_spec(NAMES, hostAliases=aliases))

    assert _log(api, pods, "p") == "127.64.0.9\n"
