"""One step of planning: changes to the state of a build, and everything that follows from them."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from crossfade.core.pipeline.conditions import Go, choose, reads_workflow
from crossfade.core.pipeline.context import Context, view
from crossfade.core.pipeline.document import Hook
from crossfade.core.pipeline.graph import Graph, Unit
from crossfade.core.pipeline.order import (
    following,
    is_next,
    is_open,
    let_out,
    living_services,
    outcome,
    outside_criteria,
    running_hook,
    stuck,
    waits_for_services,
)
from crossfade.core.pipeline.state import (
    BUILD,
    Export,
    Phase,
    Result,
    State,
    UnitState,
)
from crossfade.core.pipeline.variables import Scope, Variable, flag


class Progress:
    """A copy of a state that is being changed; `state` returns it when all has been settled."""

    def __init__(self, graph: Graph, state: State, now: float) -> None:
        self.graph, self.now = graph, now
        self.units: dict[str, UnitState] = dict(state.units)
        self.active: dict[str, None] = dict.fromkeys(state.active)
        self.timed: dict[str, None] = dict.fromkeys(state.timed)
        self.events: list[tuple[str, str]] = []
        self._old = state
        self._watching: dict[str, None] = dict.fromkeys(state.watching)
        self._exports = list(state.exports)
        self._terminated = state.terminated
        self._queue: deque[str] = deque()
        self._changed: dict[str, set[str] | None] = {}
        """For pending steps in the queue: what has changed of what they wait for; None: all."""
        self._scope: Scope | None = None
        self._quiet = False

    def state(self) -> State:
        """Return the state as it is now."""
        return replace(
            self._old,
            units=self.units,
            active=tuple(self.active),
            timed=tuple(key for key in self.timed if key in self.active),
            watching=tuple(self._watching),
            exports=tuple(self._exports),
            terminated=self._terminated,
            services=living_services(self.graph, self.units),
        )

    def note(self, key: str, text: str) -> None:
        """Remember something that is to be told."""
        self.events.append((key, text))

    def change(self, key: str, **changes: object) -> None:
        """Change fields of a step that has been decided on."""
        self.units[key] = replace(self.units[key], **changes)  # type: ignore[arg-type]

    def export(self, key: str, variables: Iterable[Variable]) -> None:
        """Add what a step leaves for later ones; a plugin lets out what it says it returns."""
        owner = self.graph.units[key].owner
        left, told = let_out(self.graph, owner, variables)
        if told:
            self.change(owner, members={**self.units[owner].members, **told})
        self._exports.extend(Export(key, each) for each in left)
        self._scope = None

    def adopt(self, units: Mapping[str, UnitState]) -> None:
        """Start the build with these steps done already."""
        self.units.update(units)
        self.start(BUILD)
        self.settle_all()

    def _context(self, key: str) -> Context:
        if self._scope is None:
            variables = (each.variable for each in self._exports)
            self._scope = Scope(self._old.variables).with_all(variables)
        return view(self.graph, self.units, self._scope, key, self._workflow())

    def _workflow(self) -> str:
        """Return how the build stands, as its steps may ask."""
        build = self.units[BUILD]
        if self._terminated:
            return Result.TERMINATED.value
        if build.outcome is not None or build.failed:
            return (build.outcome or build.worst).value
        return (Result.SUCCESS if self._quiet else Result.RUNNING).value

    # Starting

    def start(self, key: str) -> None:
        """Begin with a step: its hook first, if it has one."""
        owner = self.graph.units[key].owner
        self.units[key] = UnitState(Phase.BEFORE, Result.RUNNING, self.now, began=self.now)
        self.active[key] = None
        self._watching.pop(key, None)
        if key != BUILD:
            self.change(owner, active=self.units[owner].active + 1)
            self._wake(key)
        self.note(key, "starts")
        if not self._open(key, Hook.ELECTED):
            self._body(key)

    def _open(self, key: str, hook: Hook | None) -> bool:
        """Begin with the steps of a block; return False when there are none."""
        layout = self.graph.layout(key, hook)
        if layout is None or not layout.keys:
            return False
        done = [each for each in layout.keys if each in self.units]
        self.change(key, active=0, settled=len(done), failed=0, strict=0, aborted="")
        pending = [each for each in layout.keys if each not in self.units]
        for each in pending[:1] if layout.sequential else pending:
            self._changed[each] = None
            self._queue.append(each)
        self._queue.append(key)
        return True

    def _body(self, key: str) -> None:
        step = self.graph.units[key].step
        self.change(key, phase=Phase.BODY, began=self.now)
        if step.block is not None:
            if not self._open(key, None):
                self.end_body(key, Result.SUCCESS, "it has no steps")
        elif step.approval is not None:
            self.timed[key] = None
            self.change(key, result=Result.WAITING)
            self.note(key, "waits for approval")
        else:
            held = waits_for_services(self.graph, self.units, key)
            self.change(key, run=1, sees=len(self._exports), held=held)
            if step.timeout_seconds is not None:
                self.timed[key] = None

    # Ending

    def end_body(self, key: str, result: Result, reason: str) -> None:
        """Take in how the step itself ended, and go on with its hooks."""
        self.change(key, outcome=result, reason=reason, result=Result.RUNNING)
        self.note(key, f"{result}: {reason}" if reason else result.value)
        hook = Hook.SUCCESS if result.good else Hook.FAIL
        self.change(key, phase=Phase.OUTCOME)
        if not self._open(key, hook):
            self._finish(key)

    def _finish(self, key: str) -> None:
        self.change(key, phase=Phase.FINISH)
        if not self._open(key, Hook.FINISH):
            self._end(key)

    def _end(self, key: str) -> None:
        unit = self.units[key]
        self.settle(key, unit.outcome or Result.SUCCESS, unit.reason)

    def settle(self, key: str, result: Result, reason: str) -> None:
        """End a step for good, and wake those whom it matters to."""
        old = self.units.get(key)
        if old is None:
            self._never_ran(key, result, reason)
            self.note(key, f"{result}: {reason}" if reason else result.value)
        else:
            self.change(
                key,
                phase=Phase.DONE,
                result=result,
                outcome=result,
                reason=reason,
                ended=self.now,
                stop=None,
                not_before=None,
            )
        self._watching.pop(key, None)
        if key == BUILD:
            self.active.pop(key, None)
            return
        self._tell_owner(key, result, reason)
        self._wake(key)

    def _never_ran(self, key: str, result: Result, reason: str) -> None:
        """End a step that was not begun, and with it all that is part of it."""
        left = [key]
        while left:
            each = left.pop()
            self.units[each] = UnitState(
                Phase.DONE, result, self.now, reason, self.now, result, began=self.now
            )
            self._wake(each)
            layout = self.graph.layout(each, None)
            left += layout.keys if layout is not None else ()

    def _tell_owner(self, key: str, result: Result, reason: str) -> None:
        unit = self.graph.units[key]
        owner = self.units[unit.owner]
        was_active = key in self.active
        self.active.pop(key, None)
        self.change(unit.owner, settled=owner.settled + 1, active=owner.active - was_active)
        self._queue.append(unit.owner)
        layout = self.graph.layout(unit.owner, unit.hook)
        if layout is not None:
            self._queue.extend(following(layout, unit, self.units))
        if not result.good:
            self._count_failure(unit, result, reason)
        elif self.units[key].strict and self._fails_fast(unit):
            self.change(unit.owner, strict=self.units[unit.owner].strict + 1)

    def _count_failure(self, unit: Unit, result: Result, reason: str) -> None:
        owner = self.units[unit.owner]
        if owner.aborted or outside_criteria(self.graph, unit):
            return
        if self._fails_fast(unit):
            self.change(unit.owner, failed=owner.failed + 1, worst=result)
            why = f"{unit.step.name} is {result}" + (f": {reason}" if reason else "")
            self._abort(unit.owner, unit.hook, why)
        elif self._is_strict(unit):
            self.change(unit.owner, strict=owner.strict + 1)

    def _fails_fast(self, unit: Unit) -> bool:
        layout = self.graph.layout(unit.owner, unit.hook)
        root = self.graph.pipeline.block
        inherited = (layout.block.fail_fast if layout else None, root.fail_fast)
        values = (unit.step.fail_fast, *inherited)
        return flag(values, lambda text: self._context(unit.key).substituted(text), default=True)

    def _is_strict(self, unit: Unit) -> bool:
        values = (unit.step.strict, self.graph.pipeline.block.strict)
        return flag(values, lambda text: self._context(unit.key).substituted(text), default=False)

    # Stopping

    def terminate(self, reason: str) -> None:
        """End the whole build, without its hooks."""
        self._terminated = reason
        build = self.units[BUILD]
        self.note(BUILD, f"terminated: {reason}")
        self.change(BUILD, stop=Result.TERMINATED, reason=reason)
        hook = running_hook(build)
        self._abort(BUILD, hook, reason)
        self._queue.append(BUILD)

    def _abort(self, owner: str, hook: Hook | None, why: str) -> None:
        """Start no more steps of a block, and end those under way."""
        self.change(owner, aborted=why)
        layout = self.graph.layout(owner, hook)
        for key in layout.keys if layout is not None else ():
            if key not in self.units:
                # A step that asks how the build stands may be meant for this very case.
                if (
                    layout is None
                    or not layout.watches
                    or not reads_workflow(self.graph.units[key])
                ):
                    self.settle(key, Result.SKIPPED, f"did not run: {why}")
                else:
                    self._watching[key] = None
            elif key in self.active:
                self.stop(key, Result.TERMINATED, f"ended: {why}")

    def stop(self, key: str, result: Result, reason: str) -> None:
        """End a step under way; what it then counts as is told once its run is gone."""
        unit = self.units[key]
        if unit.phase is Phase.DONE:
            return
        self.change(key, stop=result, reason=reason)
        self.timed[key] = None
        self.note(key, f"is to end: {reason}")
        if unit.working:
            if unit.result is Result.WAITING or unit.not_before is not None or unit.held:
                self.settle(key, result, reason)
            return
        self._abort(key, running_hook(unit), reason)
        self._queue.append(key)

    # Following up

    def settle_all(self) -> None:
        """Work out everything that follows, until nothing more does."""
        while True:
            self._drain()
            before = len(self.units)
            self._watch()
            if len(self.units) > before or self._unblock():
                continue
            return

    def _wake(self, key: str) -> None:
        """Look again at the pending steps that wait for this one."""
        for each in self.graph.dependents.get(key, ()):
            if each in self.units:
                continue
            if each not in self._changed:
                self._changed[each] = {key}
                self._queue.append(each)
            elif (changed := self._changed[each]) is not None:
                changed.add(key)

    def _watch(self) -> None:
        """Look at conditions again."""
        for key in tuple(self._watching):
            self._consider(key)
        self._drain()

    def _drain(self) -> None:
        while self._queue:
            key = self._queue.popleft()
            if key not in self.units:
                self._consider(key)
            elif self.units[key].phase is not Phase.DONE:
                self._advance(key)

    def _consider(self, key: str) -> None:
        """Start or skip a step that is pending, if its turn has come."""
        changed = self._changed.pop(key, None)
        unit = self.graph.units[key]
        layout = self.graph.layout(unit.owner, unit.hook)
        owner = self.units.get(unit.owner)
        if key in self.units or owner is None or layout is None or owner.phase is Phase.DONE:
            return
        if not is_open(owner, unit.hook) or not is_next(layout, unit, self.units):
            return
        if unit.step.left_out:
            self.settle(key, Result.SKIPPED, "left out of this build")
            return
        if unit.step.when is None:
            self.start(key)
            return
        again = not layout.sequential
        choice = choose(unit, self.units, lambda: self._context(key), again=again, changed=changed)
        match choice.go:
            case Go.RUN:
                self.start(key)
            case Go.SKIP:
                self.settle(key, Result.SKIPPED, choice.reason)
            case Go.WATCH if layout.watches:
                self._watching[key] = None
            case Go.WATCH:
                self.settle(key, Result.SKIPPED, choice.reason)
            case Go.WAIT:
                self._watching.pop(key, None)

    def _advance(self, key: str) -> None:
        """Go on with a step whose block may have ended."""
        unit = self.units[key]
        hook = running_hook(unit)
        layout = self.graph.layout(key, hook)
        if layout is None or not layout.keys or unit.settled < len(layout.keys):
            return
        if unit.stop is not None:
            self.settle(key, unit.stop, unit.reason)
            return
        match unit.phase:
            case Phase.BEFORE if unit.failed:
                self._skip_body(key, f"on_elected failed: {unit.aborted}")
            case Phase.BEFORE:
                self._body(key)
            case Phase.BODY:
                self.end_body(key, *outcome(self.graph, key, unit, lambda: self._context(key)))
            case Phase.OUTCOME:
                self._finish(key)
            case _:
                self._end(key)

    def _skip_body(self, key: str, why: str) -> None:
        layout = self.graph.layout(key, None)
        self.change(key, phase=Phase.BODY, settled=0, active=0, aborted=why)
        for inner in layout.keys if layout is not None else ():
            self.settle(inner, Result.SKIPPED, f"did not run: {why}")
        self.end_body(key, Result.FAILURE, why)

    def _unblock(self) -> bool:
        """Skip what can never run, once nothing is under way that could change it."""
        if any(self.units[key].working for key in self.active):
            return False
        before = len(self.units)
        self._quiet = True  # a step that asks for the success of all others may run now
        self._watch()
        self._quiet = False
        if len(self.units) > before:
            return True
        for key, reason in stuck(self.graph, self.active, self.units, self._watching):
            if key not in self.units:
                self.settle(key, Result.SKIPPED, reason)
        return len(self.units) > before
