"""Jobs: each completion counts once, and trouble ends them as told."""

import pytest

from crossfade.sandbox.kube.controllers.job_progress import format_indexes, parse_indexes
from crossfade.sandbox.kube.kinds import JOB, POD
from crossfade.sandbox.kube.objects.conditions import find, is_true


def job(script, policy="Never", **spec):
    container = {"name": "main", "image": "host", "command": ["sh", "-c", script]}
    template = {"spec": {"containers": [container], "restartPolicy": policy}}
    return {
        "metadata": {"name": "work", "namespace": "default"},
        "spec": {"template": template, **spec},
    }


async def test_a_job_completes_and_its_pods_stay_for_their_logs(cloud):
    async with cloud() as here:
        await here.client.create(JOB, job("echo done", completions=3, parallelism=2))
        found = await here.object_when(JOB, "work", lambda one: is_true(one, "Complete"))
        assert found["status"]["succeeded"] == 3
        assert "completionTime" in found["status"]
        pods = await here.pods()
        assert len(pods) == 3
        assert all(not pod["metadata"].get("finalizers") for pod in pods)


async def test_a_job_that_keeps_failing_is_given_up(cloud):
    async with cloud() as here:
        await here.client.create(JOB, job("exit 1", backoffLimit=1))
        found = await here.object_when(JOB, "work", lambda one: is_true(one, "Failed"))
        assert find(found, "Failed")["reason"] == "BackoffLimitExceeded"
        assert found["status"]["failed"] == 2
        assert not found["status"].get("active")


async def test_a_job_restarts_in_place_when_told_so(cloud):
    script = "test -e /srv/seen/it && exit 0; touch /srv/seen/it; exit 1"
    body = job(script, "OnFailure")
    spec = body["spec"]["template"]["spec"]
    spec["containers"][0]["volumeMounts"] = [{"name": "seen", "mountPath": "/srv/seen"}]
    spec["volumes"] = [{"name": "seen", "emptyDir": {}}]
    async with cloud() as here:
        await here.client.create(JOB, body)
        await here.object_when(JOB, "work", lambda one: is_true(one, "Complete"))
        (pod,) = await here.pods()
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 1


async def test_a_job_over_its_deadline_fails_and_stops(cloud, until):
    async with cloud() as here:
        await here.client.create(JOB, job("sleep 1000", activeDeadlineSeconds=1))
        found = await here.object_when(JOB, "work", lambda one: is_true(one, "Failed"))
        assert find(found, "Failed")["reason"] == "DeadlineExceeded"

        async def stopped():
            pods = await here.pods()
            return all(pod["status"]["phase"] == "Failed" for pod in pods)

        await until(stopped)


async def test_a_finished_job_is_deleted_after_its_time(cloud):
    async with cloud() as here:
        await here.client.create(JOB, job("true", ttlSecondsAfterFinished=1))
        await here.object_when(JOB, "work", lambda one: is_true(one, "Complete"))
        await here.gone(JOB, "work")


async def test_indexed_jobs_do_each_index_once(cloud):
    async with cloud() as here:
        body = job("echo $JOB_COMPLETION_INDEX", completions=3, completionMode="Indexed")
        await here.client.create(JOB, body)
        found = await here.object_when(JOB, "work", lambda one: is_true(one, "Complete"))
        assert found["status"]["completedIndexes"] == "0-2"


async def test_a_suspended_job_waits(cloud, until):
    async with cloud(node="pretended") as here:
        await here.client.create(JOB, job("sleep 1000", suspend=True))
        await here.object_when(JOB, "work", lambda one: is_true(one, "Suspended"))
        assert await here.pods() == []
        await here.client.patch(JOB, "default", "work", {"spec": {"suspend": False}})

        async def works():
            return await here.pods()

        await until(works)


async def test_pods_of_a_deleted_job_are_not_kept_back(cloud, until):
    async with cloud(node="pretended") as here:
        await here.client.create(JOB, job("sleep 1000"))

        async def at_work():
            return await here.pods()

        (pod,) = await until(at_work)
        await here.client.delete(JOB, "default", "work")
        await here.gone(JOB, "work")
        await here.client.delete(POD, "default", pod["metadata"]["name"])
        await here.gone(POD, pod["metadata"]["name"])


@pytest.mark.parametrize("text", ["", "0", "0-2", "1,3-5,9"])
def test_indexes_survive_writing_and_reading(text):
    assert format_indexes(parse_indexes(text)) == text
