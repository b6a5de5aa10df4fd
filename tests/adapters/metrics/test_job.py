"""Jobs as metrics, in a sandbox cloud."""

import asyncio
import sys

import pytest

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.metrics.job import JobMeasurements, job_name, manifest, outcome
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.analysis.queries import JobQuery

JOBS = "/apis/batch/v1/namespaces/default/jobs"


def query(name, script, **more):
    container = {"name": "check", "image": "host", "command": [sys.executable, "-c", script]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    return JobQuery(name, {"template": {"spec": pod}}, "aws", **more)


@pytest.fixture
async def api(sandbox_cloud):
    opened = KubeApi(sandbox_cloud.cluster, seconds=2.0)
    yield opened
    await opened.close()


@pytest.fixture
def jobs(api):
    return JobMeasurements(lambda _: api, look_seconds=0.05)


async def test_a_job_passes_or_fails_as_it_ends_and_is_gone_afterwards(api, jobs, until):
    passed = await jobs.measure(query("smoke-1", "pass"), 0.0)
    failed = await jobs.measure(query("smoke-2", "raise SystemExit(3)"), 0.0)
    assert (passed.passed, passed.value["phase"]) == (True, "Successful")
    assert (failed.passed, failed.value["phase"]) == (False, "Failed")
    assert "BackoffLimitExceeded" in failed.value["message"]

    async def gone():
        return (await api.list(JOBS))[0] == []

    await until(gone)


async def test_a_job_that_takes_too_long_has_failed(jobs):
    measured = await jobs.measure(
        query("slow", "import time; time.sleep(60)", timeout_seconds=1), 0.0
    )
    assert measured.passed is False
    assert "DeadlineExceeded" in measured.value["message"]


async def test_a_hub_that_comes_back_takes_up_the_job_that_runs(api, jobs, monkeypatch):
    asked = query("rollout-7-metric-2", "import time; time.sleep(1)")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await jobs.measure(asked, 0.0)
    first = await api.get(f"{JOBS}/{job_name(asked)}")
    monkeypatch.setattr(api, "create", None)  # whoever makes a second Job fails
    measured = await JobMeasurements(lambda _: api, look_seconds=0.05).measure(asked, 0.0)
    assert measured.passed
    assert first["metadata"]["name"] == job_name(asked)


async def test_a_silent_cluster_is_neither_good_nor_bad(jobs, sandbox_cloud):
    sandbox_cloud.gate.set(0, api_partition=True)
    with pytest.raises(Unavailable):
        await jobs.measure(query("smoke", "pass"), 0.0)


async def test_a_job_that_the_cluster_refuses_is_told_with_its_words(jobs):
    with pytest.raises(InputError, match="restartPolicy"):
        await jobs.measure(
            JobQuery(
                "bad", {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}}, "aws"
            ),
            0.0,
        )


def test_jobs_of_different_measurements_have_different_valid_names():
    names = {job_name(query(name, "")) for name in ("a.1", "a-1", "A_1", "ü" * 300, "x" * 300, "")}
    assert len(names) == 6
    for name in names:
        assert len(name) <= 63
        assert name == name.lower().strip("-")


def test_a_shorter_deadline_of_the_jobs_own_is_kept():
    asked = JobQuery(
        "a", {"activeDeadlineSeconds": 5, "backoffLimit": 2}, "aws", timeout_seconds=60
    )
    spec = manifest(asked)["spec"]
    assert (spec["activeDeadlineSeconds"], spec["backoffLimit"]) == (5, 2)
    assert manifest(JobQuery("a", {}, "aws", timeout_seconds=60))["spec"]["backoffLimit"] == 0


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"conditions": None},
        {"active": 1},
        {"conditions": [{"type": "Complete", "status": "False"}]},
        {"conditions": [{"type": "Suspended", "status": "True"}]},
    ],
)
def test_a_job_that_has_not_ended_says_nothing(status):
    assert outcome({"status": status}) is None
