"""The objects of a build in a cluster, and those of one run."""

import base64
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from crossfade.adapters.runners.pods import files
from crossfade.adapters.runners.pods.hidden_words import Told, told
from crossfade.adapters.runners.pods.names import WORKSPACE, Names
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.scripts import CF_EXPORT
from crossfade.core.pipeline.deploying import DEPLOY_IMAGE, HELM_IMAGE
from crossfade.core.pipeline.work import KUBECONFIG, VOLUME, Inside
from crossfade.ports.runner import Order

Object: TypeAlias = dict[str, Any]

MAIN = "step"
READY, SETUP = "R", "S"
"""Tell apart the words of what waits for services, and of what sets them up."""
TOOLS, RUN, HOME = "/codefresh/bin", "/codefresh/run", "/codefresh/home"
STOPPED_GRACE_SECONDS = 5
"""What ends a pod from outside gives it so long; our own orders say themselves."""
_UNREACHABLE_SECONDS = 60
_WHOLE = "/workspace"
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_START = f"""exec 2>&1
PATH={TOOLS}:$PATH; export PATH
"$@" &
child=$!
end() {{
  trap : TERM
  if [ $$ -lt 10 ]; then kill -TERM -1; else kill -TERM "$child"; fi
}}
trap end TERM INT
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
exit $code
"""
"""
Runs the step as its child: as the first process of a container a shell would not hear SIGTERM.

An order to end goes to all processes of the container; where it has no process numbers of its own,
as its small ones tell, only to the step.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run, and where it goes."""

    order: Order
    names: Names
    options: PodOptions
    owner: Object
    """What goes away with the workspace."""

    @property
    def name(self) -> str:
        """The name of the pod and of its Secrets."""
        return self.names.run(self.order.run)


def claim(names: Names, options: PodOptions) -> Object:
    """Return the claim of the workspace."""
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": options.storage}},
    }
    if options.storage_class:
        spec["storageClassName"] = options.storage_class
    return _object("v1", "PersistentVolumeClaim", names.workspace, names.labels("workspace"), spec)


def token_secret(names: Names, token: str) -> Object:
    """Return the Secret with the program that serves the files, and what to tell it."""
    program = Path(files.__file__).read_text()
    return _secret(
        names.workspace, names.labels("workspace"), {"files.py": program, "TOKEN": token}
    )


def files_job(names: Names, options: PodOptions) -> Object:
    """Return the Job whose pod serves the workspace until nobody asks for it any more."""
    labels = names.labels("files")
    container = {
        "name": "files",
        "image": options.files_image,
        "command": ["python3", "/program/files.py", _WHOLE, str(options.idle_seconds)],
        "env": [
            {"name": "PORT", "value": str(files.PORT)},
            {
                "name": "TOKEN",
                "valueFrom": {"secretKeyRef": {"name": names.workspace, "key": "TOKEN"}},
            },
        ],
        "ports": [{"containerPort": files.PORT, "name": "files"}],
        "readinessProbe": {"httpGet": {"path": "/", "port": files.PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "volumeMounts": [
            {"name": "workspace", "mountPath": _WHOLE},
            {"name": "program", "mountPath": "/program", "readOnly": True},
        ],
    }
    program = {"secretName": names.workspace, "items": [{"key": "files.py", "path": "files.py"}]}
    pod = {
        **_pod_defaults(),
        "restartPolicy": "OnFailure",
        "containers": [container],
        "volumes": [_claimed(names), {"name": "program", "secret": program}],
    }
    spec = {
        "backoffLimit": 6,
        "ttlSecondsAfterFinished": 0,
        "activeDeadlineSeconds": options.most_seconds,
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return _object("batch/v1", "Job", names.workspace, names.labels("workspace"), spec)


def owned(owner: Object) -> Object:
    """Return what makes an object go away with its owner."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {"metadata": {"ownerReferences": [reference]}}


def run_secrets(run: Run) -> tuple[Object, Object]:
    """Return what a run is told: its files, and its variables.  Neither is on a command line."""
    order, labels = run.order, run.names.labels("step", run.order.run.key)
    given = {"KUBECONFIG": KUBECONFIG} if order.kubeconfig else {}
    own = {
        "HOME": HOME,
        "CF_EXPORT_FILE": f"{VOLUME}/{files.LEFT_OUT[0]}",
        "CF_EXPORT_MASKED": f"{RUN}/masked",
    }
    given |= {name: text for name, text in order.environment.items() if _VARIABLE.match(name)}
    texts = {"script": order.script, "cf_export": CF_EXPORT, "start": _START}
    if order.kubeconfig:
        texts["kubeconfig"] = order.kubeconfig
    return (
        _secret(run.name, labels, texts),
        _secret(f"{run.name}-env", labels, {**given, **_hidden(run), **own}),
    )


def _hidden(run: Run) -> dict[str, str]:
    """Return the words of commands that no pod may say."""
    entry_point, arguments = _of_step(run)
    found = {**entry_point.variables, **arguments.variables}
    composition = run.order.composition
    for gate, what in (
        ((composition.ready, READY), (composition.setup, SETUP)) if composition else ()
    ):
        if gate is not None:
            found |= told(gate.argv, run.order.secrets, what).variables
    return found


def _of_step(run: Run) -> tuple[Told, Told]:
    """Return entry point and arguments of the step."""
    inside = run.order.inside or Inside()
    secrets = run.order.secrets
    return told(inside.entry_point, secrets, "E"), told(inside.arguments, secrets, "A")


def variables_secret(run: Run, name: str, variables: Mapping[str, str]) -> Object:
    """Return a Secret with variables of one container."""
    texts = {key: text for key, text in variables.items() if _VARIABLE.match(key)}
    return _secret(name, run.names.labels("step", run.order.run.key), texts)


def step_pod(run: Run) -> Object:
    """Return the pod of a run that is nothing but its step."""
    order = run.order
    spec = {
        **_pod_defaults(),
        "restartPolicy": "Never",
        "activeDeadlineSeconds": run.options.most_seconds,
        "affinity": _beside_workspace(run.names),
        "containers": [step_container(run)],
        "volumes": _volumes(run),
    }
    labels = run.names.labels("step", order.run.key)
    pod = _object("v1", "Pod", run.name, labels, spec)
    pod["metadata"] |= owned(run.owner)["metadata"]
    return pod


def step_container(run: Run) -> Object:
    """Return the container of the step itself."""
    order, inside = run.order, run.order.inside
    found = container(run, MAIN, image_of(order.image, run.options))
    if inside is None or not inside.own_directory:
        found["workingDir"] = order.directory
    if inside is None or inside.runs_script:
        found["command"] = words("sh", f"{TOOLS}/start", order.shell, f"{TOOLS}/script")
    else:
        entry_point, arguments = _of_step(run)
        if entry_point.words:
            found["command"] = entry_point.words
        if arguments.words:
            found["args"] = arguments.words
    return found


def container(run: Run, name: str, image: str) -> Object:
    """Return a container that sees what steps see."""
    order = run.order
    mounts = [
        {"name": "workspace", "mountPath": VOLUME, "subPath": "volume"},
        {"name": "workspace", "mountPath": HOME, "subPath": "home"},
        {"name": "workspace", "mountPath": RUN, "subPath": f"runs/{run.name}"},
        {
            "name": "workspace",
            "mountPath": f"{VOLUME}/{files.LEFT_OUT[0]}",
            "subPath": f"runs/{run.name}/exports",
        },
        {"name": "own", "mountPath": TOOLS, "readOnly": True},
    ]
    if order.kubeconfig:
        place = posixpath.dirname(KUBECONFIG)
        mounts.append({"name": "kubeconfig", "mountPath": place, "readOnly": True})
    mounts += [_volume_mount(source, target) for source, target in order.volumes]
    return {
        "name": name,
        "image": image,
        "envFrom": [{"secretRef": {"name": f"{run.name}-env"}}],
        "resources": {"requests": dict(run.options.requests)},
        "volumeMounts": mounts,
    }


def image_of(image: str, options: PodOptions) -> str:
    """Return the image of a container; what built-in steps need is in one of ours."""
    return options.tools_image if image in (HELM_IMAGE, DEPLOY_IMAGE) else image


def words(*given: str) -> list[str]:
    """Return words of a command that has no secrets."""
    return told(given, ()).words


def below_volume(path: str) -> str:
    """Return a place of the workspace as a path below it, "" for the workspace itself."""
    return posixpath.normpath(path).removeprefix(VOLUME).lstrip("/")


def _volume_mount(source: str, target: str) -> Object:
    inner = below_volume(source)
    place = f"volume/{inner}" if inner else "volume"
    return {"name": "workspace", "mountPath": target, "subPath": place}


def _volumes(run: Run) -> list[Object]:
    own: Object = {"secretName": run.name, "defaultMode": 0o555}
    found = [_claimed(run.names), {"name": "own", "secret": own}]
    if run.order.kubeconfig:
        items = [{"key": "kubeconfig", "path": posixpath.basename(KUBECONFIG), "mode": 0o400}]
        found.append({"name": "kubeconfig", "secret": {"secretName": run.name, "items": items}})
    return found


def _claimed(names: Names) -> Object:
    return {"name": "workspace", "persistentVolumeClaim": {"claimName": names.workspace}}


def _pod_defaults() -> Object:
    gone = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": STOPPED_GRACE_SECONDS,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "tolerations": [
            {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": _UNREACHABLE_SECONDS,
            }
            for key in gone
        ],
    }


def _beside_workspace(names: Names) -> Object:
    """Have the pods of a build on one node: most claims can be used on one at a time."""
    term = {
        "labelSelector": {"matchLabels": {WORKSPACE: names.workspace}},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _object(version: str, kind: str, name: str, labels: Mapping[str, str], spec: Object) -> Object:
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _secret(name: str, labels: Mapping[str, str], texts: Mapping[str, str]) -> Object:
    data = {
        key: base64.b64encode(text.encode(errors="surrogateescape")).decode()
        for key, text in texts.items()
    }
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
