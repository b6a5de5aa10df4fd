"""
Write wire_bodies.json: protobuf bodies of stock tools, with the same objects as JSON.

Run by hand, with kubectl and helm on PATH: `python tests/sandbox/kube/record_bodies.py`.  It lets
both talk to a server that writes down what they send and says yes to everything.  What `kubectl
--dry-run=client -o json` prints for the same command is the JSON to compare with.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from crossfade.sandbox.kube import discovery, openapi, protobuf
from crossfade.sandbox.kube.builtin import builtin_kinds

HERE = Path(__file__).parent
COMMANDS = """
create configmap colors --from-literal=a=1 --from-literal=b=two
create secret generic colors --from-literal=password=s3cret
create secret docker-registry colors --docker-username=u --docker-password=p --docker-server=h
create secret generic typed --type=example.com/kind --from-literal=k=v
create deployment worker --image=a -- sleep 1
create deployment colors --image=colors:1.0 --replicas=0 --port=8080
create deployment pair --image=a:1 --image=b@sha256:00
create namespace colors
create service clusterip colors --tcp=80:8080 --tcp=443:https
create service nodeport colors --tcp=80:8080 --node-port=30080
create service externalname colors --external-name=example.com
create service clusterip headless --clusterip=None
create serviceaccount colors
create job colors --image=colors:1.0 -- make coffee
create cronjob colors --image=colors:1.0 --schedule=*/5 -- date
create role colors --verb=get,list --resource=pods,deployments.apps --resource-name=x
create rolebinding colors --role=colors --user=ann --group=team --serviceaccount=default:colors
create clusterrole colors --verb=get --non-resource-url=/healthz
create clusterrole sums --aggregation-rule=a=b
create clusterrolebinding colors --clusterrole=colors --serviceaccount=default:colors
create ingress colors --rule=colors.example.com/*=colors:80,tls=cert --class=nginx
create ingress plain --default-backend=colors:web --annotation=a=b
create poddisruptionbudget colors --selector=app=colors --min-available=50%
create poddisruptionbudget most --selector=app=colors --max-unavailable=1
create quota colors --hard=cpu=1,memory=1Gi,pods=2 --scopes=BestEffort
create priorityclass colors --value=-1000 --description=low --global-default=false
"""
EXTRA = """
create token colors --duration=10m --audience=a --bound-object-kind=Pod --bound-object-name=x
auth can-i create deployments.apps --subresource=scale
auth whoami
auth can-i --list
expose deployment colors --port=80 --target-port=http --name=front
autoscale deployment colors --max=5 --min=0 --cpu-percent=70
delete deployment colors --wait=false
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "colors", "namespace": "default", "labels": {"app": "colors"}},
    "spec": {
        "selector": {"matchLabels": {"app": "colors"}},
        "template": {
            "metadata": {"labels": {"app": "colors"}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]},
        },
    },
}


class Recorder(ThreadingHTTPServer):
    """Answers enough for tools to go on, and keeps each body that was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[tuple[str, str, str, bytes]] = []
        self.objects: dict[str, dict] = {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def log_message(self, *_args) -> None:
        """Stay silent."""

    def _answer(self, code: int, body: object, media: str = "application/json") -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = discovery.answer(path, self.headers.get("Accept", ""), builtin_kinds())
        if found:
            self._answer(200, found[1], found[0])
        elif path == "/version":
            self._answer(200, {"major": "1", "minor": "32", "gitVersion": "v1.32.0"})
        elif path == "/openapi/v3":
            self._answer(200, openapi.index(builtin_kinds()))
        elif path.startswith("/openapi/v3/"):
            self._answer(200, openapi.document(path.removeprefix("/openapi/v3/"), builtin_kinds()))
        elif path.endswith("/deployments/colors"):
            self._answer(200, DEPLOYMENT)
        elif path in self.server.objects:
            self._answer(200, self.server.objects[path])
        elif path.endswith(("/secrets", "/pods", "/jobs")):
            items = [one for where, one in self.server.objects.items() if where.startswith(path)]
            self._answer(200, {"kind": "SecretList", "apiVersion": "v1", "items": items})
        else:
            self._answer(
                404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
            )

    def _keep(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        media = self.headers.get("Content-Type", "")
        self.server.bodies.append((self.command, self.path, media, body))
        path = self.path.partition("?")[0]
        if self.command == "DELETE":
            value = self.server.objects.pop(path, DEPLOYMENT)
        else:
            value = protobuf.decode(body) if "protobuf" in media else json.loads(body)
        if self.command == "POST":
            value["metadata"] |= {"namespace": "default", "uid": "u", "resourceVersion": "1"}
            self.server.objects[f"{path}/{value['metadata'].get('name')}"] = value
        elif self.command == "PUT":
            self.server.objects[path] = value
        self._answer(201 if self.command == "POST" else 200, value)

    do_POST = do_PUT = do_PATCH = do_DELETE = _keep


def _run(url: str, home: str, *command: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": home}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(" ".join(command), done.stderr, file=sys.stderr)  # noqa: T201
    return done.stdout


def _protobuf(server: Recorder, title: str) -> list[dict]:
    found = [
        {"command": title, "request": f"{method} {path}", "body": base64.b64encode(body).decode()}
        for method, path, media, body in server.bodies
        if "protobuf" in media
    ]
    server.bodies.clear()
    return found


def main() -> None:
    """Record everything."""
    server = Recorder()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    records = []
    with tempfile.TemporaryDirectory() as home:
        for line in COMMANDS.strip().splitlines():
            words = ["kubectl", f"--server={url}", *line.replace("*/5", "*/5_*_*_*_*").split()]
            words = [word.replace("_", " ") if "schedule" in word else word for word in words]
            server.objects.clear()
            _run(url, home, *words)
            media = {media for _, _, media, _ in server.bodies}
            kept = _protobuf(server, line)
            if not kept:
                print("no protobuf:", line, media)  # noqa: T201
                continue
            at = words.index("--") if "--" in words else len(words)
            dry = [*words[:at], "--dry-run=client", "--output=json", *words[at:]]
            kept[0]["json"] = json.loads(_run(url, home, *dry))
            records += kept
        for line in EXTRA.strip().splitlines():
            _run(url, home, "kubectl", f"--server={url}", *line.split())
            records += _protobuf(server, line)
        chart = Path(home, "colors")
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: colors\nversion: 1.0.0\n")
        (chart / "templates" / "map.yaml").write_text(MAP)
        for words in (["install", "web", str(chart)], ["uninstall", "web"]):
            _run(url, home, "helm", "--kube-apiserver", url, *words)
            records += _protobuf(server, f"helm {words[0]}")
    text = json.dumps(records, indent=1)
    (HERE / "wire_bodies.json").write_text(text + "\n")
    print(len(records), "bodies,", len(text), "bytes")  # noqa: T201
    server.shutdown()


if __name__ == "__main__":
    main()
