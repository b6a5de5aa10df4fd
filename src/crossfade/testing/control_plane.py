"""
A real Kubernetes control plane on this machine, for the contract suite.

Its programs (etcd, kube-apiserver, kube-controller-manager, kube-scheduler) are those of a folder
that the user names with KUBEBUILDER_ASSETS; nothing is fetched.
"""

import json
import secrets
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files for 127.0.0.1."""

    authority: Path
    certificate: Path
    key: Path


class ControlPlane:
    """Four processes, from `with` to its end."""

    def __init__(self, assets: Path, folder: Path, certificates: Certificates) -> None:
        self._assets, self._folder, self._certificates = assets, folder, certificates
        self._token = secrets.token_hex(16)
        self._stack = ExitStack()
        self._port = free_port()
        self.kubeconfig = folder / "kubeconfig"
        """With the one context `control-plane`."""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_files()
        try:
            etcd = self._start_etcd()
            self._start("kube-apiserver", self._api_server_flags(etcd))
            self._wait_until_ready()
            self._start("kube-controller-manager", self._controller_flags())
            self._start("kube-scheduler", [*self._client_flags(), "--leader-elect=false"])
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self, program: str, flags: list[str]) -> None:
        log = self._stack.enter_context((self._folder / f"{program}.log").open("ab"))
        process = subprocess.Popen([self._assets / program, *flags], stdout=log, stderr=log)
        self._stack.callback(_end, process)

    def _start_etcd(self) -> str:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        flags = [
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]
        self._start("etcd", flags)
        return client

    def _api_server_flags(self, etcd: str) -> list[str]:
        folder = self._folder
        flags = [
            f"--etcd-servers={etcd}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'certificates'}",
            f"--tls-cert-file={self._certificates.certificate}",
            f"--tls-private-key-file={self._certificates.key}",
            f"--service-account-key-file={self._certificates.certificate}",
            f"--service-account-signing-key-file={self._certificates.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--allow-privileged=true",
            "--disable-admission-plugins=ServiceAccount",
            "--kubelet-preferred-address-types=InternalIP",
        ]
        if self._old_etcd():
            # etcd before 3.4.25 cannot tell a watch cache how far it is.
            flags.append("--watch-cache=false")
        return flags

    def _old_etcd(self) -> bool:
        told = subprocess.run([self._assets / "etcd", "--version"], capture_output=True, check=True)
        return b"etcd Version: 3.4" in told.stdout

    def _client_flags(self) -> list[str]:
        return [
            f"--kubeconfig={self.kubeconfig}",
            f"--authentication-kubeconfig={self.kubeconfig}",
            f"--authorization-kubeconfig={self.kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        ]

    def _controller_flags(self) -> list[str]:
        return [
            *self._client_flags(),
            "--leader-elect=false",
            f"--service-account-private-key-file={self._certificates.key}",
            f"--root-ca-file={self._certificates.authority}",
        ]

    def _write_files(self) -> None:
        tokens = self._folder / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self._token},admin,admin,"system:masters"\n')
        server = f"https://127.0.0.1:{self._port}"
        name = "control-plane"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": server,
                        "certificate-authority": str(self._certificates.authority),
                    },
                }
            ],
            "users": [{"name": name, "user": {"token": self._token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(config))

    def _wait_until_ready(self) -> None:
        import ssl

        trust = ssl.create_default_context(cafile=str(self._certificates.authority))
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"https://127.0.0.1:{self._port}/readyz"
        deadline = time.monotonic() + _READY_SECONDS
        with httpx.Client(verify=trust, headers=headers, trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    if client.get(url).is_success:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.1)
        raise TimeoutError(f"kube-apiserver is not ready, see {self._folder}/kube-apiserver.log")


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
