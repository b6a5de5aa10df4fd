"""The kubeconfig of a sandbox: one context per cloud, named as the cloud."""

import base64
import json
from collections.abc import Mapping

from crossfade.sandbox.state import Layout


def render(layout: Layout, authority_pem: str, tokens: Mapping[str, str]) -> str:
    """Return the file as YAML, with a bearer token for each cloud."""
    data = base64.b64encode(authority_pem.encode()).decode()
    lines = ["apiVersion: v1", "kind: Config", f"current-context: {_text(layout.clouds[0])}"]
    lines.append("clusters:")
    for cloud in layout.clouds:
        lines += [
            f"- name: {_text(cloud)}",
            "  cluster:",
            f"    server: https://127.0.0.1:{layout.ports(cloud).api}",
            f"    certificate-authority-data: {data}",
        ]
    lines.append("users:")
    for cloud in layout.clouds:
        lines += [f"- name: {_text(cloud)}", "  user:", f"    token: {_text(tokens[cloud])}"]
    lines.append("contexts:")
    for cloud in layout.clouds:
        lines += [
            f"- name: {_text(cloud)}",
            "  context:",
            f"    cluster: {_text(cloud)}",
            f"    user: {_text(cloud)}",
            "    namespace: default",
        ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """Quote: a cloud named `on` or `123` must stay a string in YAML."""
    return json.dumps(value)
