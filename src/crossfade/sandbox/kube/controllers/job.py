"""Job: Pods that run to their end."""

from typing import Any

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.controllers import job_progress
from crossfade.sandbox.kube.controllers.context import Context
from crossfade.sandbox.kube.controllers.informers import key_of
from crossfade.sandbox.kube.controllers.job_progress import INDEX, TRACKING, End, Progress
from crossfade.sandbox.kube.controllers.owned_pods import Owner, owned_pods, pod_from
from crossfade.sandbox.kube.controllers.work_queue import Key, WorkQueue
from crossfade.sandbox.kube.kinds import JOB, POD
from crossfade.sandbox.kube.objects import ownership, pod_state
from crossfade.sandbox.kube.objects.conditions import Condition, is_true, merged
from crossfade.sandbox.kube.objects.timestamps import seconds_of, stamp

_FIRST_BACK_OFF, _MOST_BACK_OFF = 1.0, 360.0
_UID_LABEL = "batch.kubernetes.io/controller-uid"


class JobController:
    """Creates Pods until enough have succeeded or too many have failed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = context.client
        self.queue = WorkQueue("job")
        context.informers.of(JOB).listen(lambda old, new: self.queue.add(key_of(new or old or {})))
        context.watch_owned(POD, JOB, self.queue)

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of one Job."""
        try:
            job = await self._client.get(JOB, *key)
        except ApiError as error:
            if error.code != 404:
                raise
            await self._let_go(key)
            return None
        selector = job["spec"].get("selector") or {
            "matchLabels": {_UID_LABEL: job["metadata"]["uid"]}
        }
        pods = await owned_pods(self._client, Owner(JOB, job, selector))
        job = await self._count(job, pods)
        if job_progress.ended_before(job):
            return await self._expire(job)
        if pod_state.is_terminating(job):
            return None
        return await self._advance(job, pods)

    async def _let_go(self, key: Key) -> None:
        """Nobody counts the Pods of a Job that is gone: do not keep them."""
        for pod in await self._client.list(POD, key[0]):
            owner = ownership.controller_of(pod)
            ours = owner is not None and owner["kind"] == JOB.kind and owner["name"] == key[1]
            if ours and job_progress.is_tracked(pod):
                await self._untrack(pod)

    async def _untrack(self, pod: Object) -> None:
        meta = pod["metadata"]
        rest = [name for name in meta.get("finalizers") or () if name != TRACKING]
        merge = {"metadata": {"uid": meta["uid"], "finalizers": rest}}
        try:
            await self._client.patch(POD, meta["namespace"], meta["name"], merge)
        except ApiError as error:
            if error.code != 404:
                raise

    async def _count(self, job: Object, pods: list[Object]) -> Object:
        """
        Count each ended Pod once and for all.

        First the intent (`uncountedTerminatedPods`), then the Pods are let go, then the counters:
        a crash between any two changes nothing in the end.
        """
        ended = [
            pod for pod in pods if job_progress.is_tracked(pod) and job_progress.has_ended(pod)
        ]
        uncounted = (job.get("status") or {}).get("uncountedTerminatedPods") or {}
        good, bad = set(uncounted.get("succeeded") or ()), set(uncounted.get("failed") or ())
        for pod in ended:
            into = good if pod_state.phase(pod) == "Succeeded" else bad
            into.add(pod["metadata"]["uid"])
        if not good and not bad:
            return job
        pending = {"succeeded": sorted(good), "failed": sorted(bad)}
        if pending != uncounted:
            job = await self._write(job, {"uncountedTerminatedPods": pending})
        for pod in ended:
            await self._untrack(pod)
        status = job["status"]
        done = job_progress.parse_indexes(status.get("completedIndexes", ""))
        if job_progress.is_indexed(job):
            fresh = (job_progress.index_of(pod) for pod in pods if pod["metadata"]["uid"] in good)
            done |= {index for index in fresh if index is not None}
            succeeded = len(done)
        else:
            succeeded = status.get("succeeded", 0) + len(good)
        changes: Object = {
            "uncountedTerminatedPods": {},
            "succeeded": succeeded,
            "failed": status.get("failed", 0) + len(bad),
        }
        if done:
            changes["completedIndexes"] = job_progress.format_indexes(done)
        return await self._write(job, changes)

    async def _write(self, job: Object, changes: Object) -> Object:
        status = {**(job.get("status") or {}), **changes}
        status = {name: value for name, value in status.items() if value not in (None, 0)}
        if status == job.get("status"):
            return job
        return await self._client.update(JOB, {**job, "status": status}, "status")

    async def _expire(self, job: Object) -> float | None:
        """Delete a finished Job when its time is over."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None or pod_state.is_terminating(job):
            return None
        over = [
            seconds_of(one.get("lastTransitionTime"))
            for one in job["status"].get("conditions") or ()
            if one["type"] in ("Complete", "Failed") and one["status"] == "True"
        ]
        left = max(over) + float(seconds) - self._context.clock.now()
        if left > 0:
            return left + 0.01
        meta = job["metadata"]
        await self._client.delete(JOB, meta["namespace"], meta["name"])
        return None

    async def _advance(self, job: Object, pods: list[Object]) -> float | None:
        now = self._context.clock.now()
        suspended = bool(job["spec"].get("suspend"))
        if not suspended and not (job.get("status") or {}).get("startTime"):
            job = await self._write(job, {"startTime": stamp(now)})
        seen = job_progress.progress(job, pods)
        end = job_progress.end_of(job, seen, now)
        if end is not None:
            await self._finish(job, seen, end)
            return 0.0
        after = None
        created = 0
        if suspended:
            await self._delete(job, seen.active)
        else:
            created, after = await self._fill(job, seen, now)
        await self._write(job, self._numbers(job, seen, created, suspended=suspended))
        return self._next_look(job, after, now)

    def _next_look(self, job: Object, after: float | None, now: float) -> float | None:
        deadline = job["spec"].get("activeDeadlineSeconds")
        started = seconds_of((job.get("status") or {}).get("startTime"))
        if deadline is not None and started:
            left: float = max(0.0, started + deadline - now) + 0.01
            return left if after is None else min(left, after)
        return after

    async def _fill(self, job: Object, seen: Progress, now: float) -> tuple[int, float | None]:
        """Create what is missing; return how many, and seconds until more may be created."""
        wanted = job_progress.wanted_active(job, seen)
        missing = wanted - len(seen.active) - seen.terminating
        if missing < 0 and len(seen.active) > wanted:
            await self._delete(job, seen.active[wanted:])
        if missing <= 0:
            return 0, None
        if seen.failed:
            pause = min(_FIRST_BACK_OFF * 2 ** min(seen.failed - 1, 20), _MOST_BACK_OFF)
            left = seen.last_failure_at + pause - now
            if left > 0:
                return 0, left + 0.01
        indexes: list[int | None] = [None] * missing
        if job_progress.is_indexed(job):
            indexes = list(job_progress.free_indexes(job, seen)[:missing])
        for index in indexes:
            await self._create(job, index)
        return len(indexes), None

    async def _create(self, job: Object, index: int | None) -> None:
        events = self._context.events
        try:
            pod = await self._client.create(POD, _pod(job, index))
        except ApiError as error:
            events.warning(JOB, job, "FailedCreate", f"Error creating: {error.message}")
            raise
        name = pod["metadata"]["name"]
        events.normal(JOB, job, "SuccessfulCreate", f"Created pod: {name}")

    async def _delete(self, job: Object, pods: tuple[Object, ...]) -> None:
        for pod in pods:
            meta = pod["metadata"]
            await self._client.delete(POD, meta["namespace"], meta["name"])
            message = f"Deleted pod: {meta['name']}"
            self._context.events.normal(JOB, job, "SuccessfulDelete", message)

    async def _finish(self, job: Object, seen: Progress, end: End) -> None:
        await self._delete(job, seen.active)
        now = self._context.clock.now()
        first = "SuccessCriteriaMet" if end.complete else "FailureTarget"
        last = "Complete" if end.complete else "Failed"
        wanted = [Condition(kind, True, end.reason, end.message) for kind in (first, last)]
        old = (job.get("status") or {}).get("conditions") or ()
        changes: Object = {
            "conditions": merged(old, wanted, now),
            "active": 0,
            "ready": 0,
            "terminating": len(seen.active) + seen.terminating,
        }
        if end.complete:
            changes["completionTime"] = stamp(now)
        await self._write(job, changes)
        events = self._context.events
        if end.complete:
            events.normal(JOB, job, "Completed", "Job completed")
        else:
            events.warning(JOB, job, end.reason, end.message)

    def _numbers(self, job: Object, seen: Progress, created: int, *, suspended: bool) -> Object:
        active = 0 if suspended else len(seen.active) + created
        changes: Object = {
            "active": active,
            "ready": seen.ready,
            "terminating": seen.terminating,
            "uncountedTerminatedPods": {},
        }
        if suspended or is_true(job, "Suspended"):
            text = ("JobSuspended", "Job suspended") if suspended else ("JobResumed", "Job resumed")
            old = (job.get("status") or {}).get("conditions") or ()
            condition = Condition("Suspended", suspended, *text)
            changes["conditions"] = merged(old, [condition], self._context.clock.now())
            if suspended:
                changes["startTime"] = None
        return changes


def _pod(job: Object, index: int | None) -> Object:
    pod = pod_from(JOB, job, job["spec"]["template"])
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    pod["metadata"]["labels"] = {**(pod["metadata"].get("labels") or {}), **labels}
    pod["metadata"]["finalizers"] = [TRACKING]
    if index is None:
        return pod
    pod["metadata"]["labels"][INDEX] = str(index)
    pod["metadata"].setdefault("annotations", {})[INDEX] = str(index)
    pod["metadata"]["generateName"] = f"{name}-{index}-"
    pod["spec"] = {"hostname": f"{name}-{index}", **pod["spec"]}
    for part in ("containers", "initContainers"):
        if part in pod["spec"]:
            pod["spec"][part] = [_with_index(one, index) for one in pod["spec"][part]]
    return pod


def _with_index(container: dict[str, Any], index: int) -> dict[str, Any]:
    env = [one for one in container.get("env") or () if one["name"] != "JOB_COMPLETION_INDEX"]
    return {**container, "env": [*env, {"name": "JOB_COMPLETION_INDEX", "value": str(index)}]}
