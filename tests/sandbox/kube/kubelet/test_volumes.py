"""Volumes: containers find the files that their manifest promises, where it promises them."""

import base64

from crossfade.sandbox.kube.kinds import CONFIG_MAP, POD, SECRET
from crossfade.sandbox.kube.kubelet import KubeletOptions
from crossfade.sandbox.kube.logs import LogQuery


async def output(here, name):
    await here.pod_when(name, lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"))
    reader = here.kubelet.log_reader(LogQuery("default", name, ""))
    return b"".join([part async for part in reader]).decode()


async def test_config_maps_secrets_and_the_pod_itself_are_files(cloud, make):
    settings = {"metadata": {"name": "settings"}, "data": {"a.conf": "alpha\n", "b": "beta\n"}}
    keys = {"metadata": {"name": "keys"}, "data": {"key": base64.b64encode(b"s3\n").decode()}}
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "some", "configMap": {"name": "settings", "items": [{"key": "b", "path": "x/b"}]}},
        {"name": "keys", "secret": {"secretName": "keys"}},
        {
            "name": "me",
            "downwardAPI": {
                "items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]
            },
        },
    ]
    mounts = [
        {"name": "settings", "mountPath": "/etc/app-of-test/conf"},
        {"name": "settings", "mountPath": "/etc/app-of-test.conf", "subPath": "a.conf"},
        {"name": "some", "mountPath": "/some-of-test"},
        {"name": "keys", "mountPath": "/var/run/secrets-of-test"},
        {"name": "me", "mountPath": "/srv/me"},
    ]
    script = (
        "cat /etc/app-of-test/conf/a.conf /etc/app-of-test.conf /some-of-test/x/b "
        "/var/run/secrets-of-test/key /srv/me/name; "
        "touch /etc/app-of-test/conf/new 2>/dev/null || echo; echo read-only; test -e /etc/passwd"
    )
    async with cloud() as here:
        await here.client.create(CONFIG_MAP, settings)
        await here.client.create(SECRET, keys)
        body = make.pod(
            "task",
            ["sh", "-c", script],
            container={"volumeMounts": mounts},
            volumes=volumes,
            restartPolicy="Never",
        )
        await here.client.create(POD, body)
        assert await output(here, "task") == "alpha\nalpha\nbeta\ns3\ntask\nread-only\n"
        pod = await here.get(POD, "task")
        assert pod["status"]["phase"] == "Succeeded"


async def test_a_host_path_is_the_host_s_and_read_only_means_it(cloud, make, tmp_path):
    (tmp_path / "data").mkdir()
    volumes = [{"name": "data", "hostPath": {"path": str(tmp_path / "data")}}]
    mounts = [
        {"name": "data", "mountPath": "/rw-of-test"},
        {"name": "data", "mountPath": "/ro-of-test", "readOnly": True},
    ]
    script = (
        "echo hi > /rw-of-test/file; cat /ro-of-test/file; echo no > /ro-of-test/file || exit 0"
    )
    async with cloud() as here:
        body = make.pod(
            "task",
            ["sh", "-c", script],
            container={"volumeMounts": mounts},
            volumes=volumes,
            restartPolicy="Never",
        )
        await here.client.create(POD, body)
        assert (await output(here, "task")).startswith("hi\n")
        assert (tmp_path / "data" / "file").read_text() == "hi\n"


async def test_a_pod_waits_for_a_config_map_that_it_mounts(cloud, make, until):
    async with cloud() as here:
        body = make.pod(
            "task",
            ["cat", "/srv/settings/a"],
            container={"volumeMounts": [{"name": "settings", "mountPath": "/srv/settings"}]},
            volumes=[{"name": "settings", "configMap": {"name": "settings"}}],
            restartPolicy="Never",
        )
        await here.client.create(POD, body)

        async def told():
            return await here.events("FailedMount")

        (message, *_) = await until(told)
        assert 'configmap "settings" not found' in message
        pod = await here.get(POD, "task")
        waiting = pod["status"]["containerStatuses"][0]["state"]["waiting"]
        assert waiting["reason"] == "ContainerCreating"
        settings = {"metadata": {"name": "settings"}, "data": {"a": "alpha"}}
        await here.client.create(CONFIG_MAP, settings)
        assert await output(here, "task") == "alpha"


async def test_without_namespaces_a_mount_that_cannot_be_made_is_named(cloud, make, until):
    async with cloud(options=KubeletOptions(bubblewrap=False)) as here:
        body = make.pod(
            "task",
            ["true"],
            container={"volumeMounts": [{"name": "data", "mountPath": "/no-such-place/of-test"}]},
            volumes=[{"name": "data", "emptyDir": {}}],
            restartPolicy="Never",
        )
        await here.client.create(POD, body)

        async def told():
            return await here.events("FailedMount")

        (message,) = await until(told)
        assert "bubblewrap" in message
        assert "/no-such-place/of-test" in message
