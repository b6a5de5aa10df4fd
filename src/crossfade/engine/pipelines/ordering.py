"""What a runner is asked for: the work of a step, with all that it is to have."""

import shlex
from dataclasses import replace

from crossfade.base.errors import Denied, InputError, NotFound, Unavailable
from crossfade.core.fleet.naming import is_name
from crossfade.core.pipeline.clusters import reachable, unknown
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.context import Context, context_of
from crossfade.core.pipeline.deploying import ONCE
from crossfade.core.pipeline.document import Step
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.masking import masked
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import Run
from crossfade.core.pipeline.secret_stores import asked_for
from crossfade.core.pipeline.serving import beside
from crossfade.core.pipeline.state import State
from crossfade.core.pipeline.supported import image_refusal, runs_inside, unknown_image
from crossfade.core.pipeline.unset import ways_to_set
from crossfade.core.pipeline.variables import of_build
from crossfade.core.pipeline.work import Access, CannotRun, Work
from crossfade.engine.pipelines.integrations import with_integration
from crossfade.engine.pipelines.records import Build, run_id
from crossfade.engine.pipelines.registries import with_registries
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.ports.runner import Order, RunId, Serving

_SERVING = Serving(14 * 86400.0)
"""Longer than any build may wait for an approval."""


class Ordering:
    """Makes orders for the runs of one build."""

    def __init__(self, around: Surroundings, build: Build, graph: Graph) -> None:
        self._around, self._build, self._graph = around, build, graph

    async def order(
        self, run: Run, identity: RunId, state: State, context: Context, work: Work
    ) -> Order:
        """Return the order for a run.  Raises Unavailable, NotFound."""
        given = self._own(run, state) if work.access is Access.HUB else _seen(work, context)
        order = Order(
            identity,
            work.script,
            work.shell,
            work.directory,
            {**given, **work.environment},
            (*context.scope.secrets, *work.secrets),
            work.image,
            work.inside,
            work.volumes,
            self._composition(work),
            _SERVING if run.key == self._graph.services else None,
            self._beside(run, state),
        )
        order = await with_registries(order, work, self._around.registries)
        if work.integration and self._around.secrets is not None:
            return await with_integration(order, work.integration, self._around.secrets)
        return await self._with_clusters(order) if work.access is Access.FLEET else order

    async def context(self, run: Run, identity: RunId, state: State) -> tuple[Context, str]:
        """
        Return what the step sees, with secrets of stores, and why it cannot be run, "" if it can.

        A run that was started has its secrets; those of today are only to mask what it leaves.
        Raises Unavailable.
        """
        asked = asked_for(self._graph, run.key, state.variables.values())
        if not asked:
            return context_of(self._graph, state, run.key), ""
        why = ""
        try:
            values = await self._around.secret_values(asked)
        except (InputError, NotFound, Denied) as error:
            values, why = {}, f"{error}; {error.hint}"
        except Unavailable:
            if await self._around.runner.look(identity) is None:
                raise
            values = {}
        if why and await self._around.runner.look(identity) is not None:
            why = ""
        return context_of(self._graph, state, run.key, values), why

    def _beside(self, run: Run, state: State) -> RunId | None:
        number = beside(self._graph, state, run.key)
        return None if number is None else run_id(self._build, self._graph.services, number)

    def _composition(self, work: Work) -> Composition | None:
        if work.composition is None:
            return None
        return replace(work.composition, host_images=self._build.host_images)

    def _own(self, run: Run, state: State) -> dict[str, str]:
        """Return the environment of our own commands; a run after a lost one has the same."""
        build, attempt = self._build, state.units[run.key].attempt
        return {**self._around.own, ONCE: f"{build.id}.{build.generation}/{run.key}@{attempt}"}

    async def _with_clusters(self, order: Order) -> Order:
        """Return the order with the clusters that the pipeline may reach."""
        found = await self._around.clusters(reachable(self._graph.pipeline.spec))
        missing = [f"not in the kubeconfig: {each}" for each in found.left_out]
        missing += map(_no_cluster, unknown(order.script, order.environment, found.text))
        told = [f"echo {shlex.quote(each)} >&2\n" for each in missing]
        return replace(
            order,
            script="".join([*told, order.script]),
            secrets=(*order.secrets, *found.secrets),
            kubeconfig=found.text,
        )

    def work(self, step: Step, context: Context, why_not: str = "") -> Work:
        """Return what the step does; if that cannot be, it is to say so and fail."""
        if why_not:
            return _saying(why_not)
        try:
            work = _without_secrets(work_of(step, context, self._build.local_dir), context)
        except CannotRun as error:
            ways = ways_to_set(str(error))
            return _saying(f"{error}\nhint: {ways}" if ways else str(error))
        if not work.image:
            return work
        if work.inside and runs_inside(work.image, self._build.host_images, self._around.has_image):
            return work
        work = replace(work, inside=None)
        why = image_refusal(work.image, self._around.has_tool, self._build.host_images)
        return _saying(unknown_image(work.image, why)) if why else work


def _seen(work: Work, context: Context) -> dict[str, str]:
    """Return the variables that a step sees."""
    texts = context.scope.texts
    return of_build(texts) if work.integration or not work.image else texts


def _no_cluster(name: str) -> str:
    how = f"`crossfade fleet add {name} --context CONTEXT` gives it one, of your own kubeconfig"
    if not is_name(name):
        how = "names in the fleet are of small letters, digits and -: use another one in the file"
    return f"the fleet has no cluster {name}; {how}"


def _without_secrets(work: Work, context: Context) -> Work:
    """Return the work with members that can be kept: secrets of stores are in none of them."""
    hidden = [each for each in context.scope.looked_up.values() if each]
    if not hidden:
        return work
    return replace(work, members={k: masked(each, hidden) for k, each in work.members.items()})


def _saying(why: str) -> Work:
    return Work(f"echo {shlex.quote(why)} >&2\nexit 1\n", "sh", "/", "")
