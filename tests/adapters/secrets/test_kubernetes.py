"""Secrets in a cluster, over its API."""

import base64

import pytest

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.secrets.kubernetes import KubernetesSecrets
from crossfade.base.errors import InputError, NotFound, Unavailable
from crossfade.base.secrets import SecretRef


@pytest.fixture
async def secrets(sandbox_cloud):
    api = KubeApi(sandbox_cloud.cluster, seconds=2.0)
    data = {"url": base64.b64encode(b"https://hooks.test/1").decode(), "raw": "//79/A=="}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "slack"}, "data": data}
    await api.create("/api/v1/namespaces/default/secrets", body)
    yield KubernetesSecrets(lambda _: api)
    await api.close()


async def test_keys_of_a_secret_are_read_and_what_is_wrong_is_named(secrets, sandbox_cloud):
    found = await secrets.resolve(SecretRef("slack", "url", "default", "aws"))
    assert found.reveal() == "https://hooks.test/1"
    with pytest.raises(NotFound) as raised:
        await secrets.resolve(SecretRef("slack", "other", "default", "aws"))
    assert raised.value.hint == "it has: raw, url"
    with pytest.raises(InputError, match="is no text"):
        await secrets.resolve(SecretRef("slack", "raw", "default", "aws"))
    sandbox_cloud.gate.set(0, api_partition=True)
    with pytest.raises(Unavailable):
        await secrets.resolve(SecretRef("slack", "url", "default", "aws"))
