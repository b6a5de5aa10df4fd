"""What `pipeline why STEP` says: how a step stands, and what brought it there."""

from collections.abc import Iterator

from crossfade.core.pipeline.conditions import Go, choose, judge
from crossfade.core.pipeline.context import Context, context_of
from crossfade.core.pipeline.document import Condition
from crossfade.core.pipeline.expression.evaluate import evaluate
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.order import is_next, is_open
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState


def why(graph: Graph, state: State, key: str) -> tuple[str, ...]:
    """
    Return lines that tell how a step stands and why, the most telling one first.

    Raises KeyError when there is no such step.
    """
    unit = graph.units[key]
    name = unit.step.name or "the build"
    own = state.units.get(key)
    if own is not None:
        serves = key != BUILD and key == graph.services
        told = _of_services(own) if serves else _told(graph, state, key, own)
        return (f"{name}: {own.visible}", *told)
    if key == graph.services:
        return (f"{name}: pending", "no step has needed them yet")
    owner = state.units.get(unit.owner)
    layout = graph.layout(unit.owner, unit.hook)
    if owner is None or layout is None or not is_open(owner, unit.hook):
        part = unit.owner or "the build"
        return (f"{name}: pending", f"it is part of {part}, which has not come to it")
    if not is_next(layout, unit, state.units):
        before = layout.before(unit.index)
        return (f"{name}: pending", f"its turn comes after {before}")
    context = context_of(graph, state, key)
    choice = choose(unit, state.units, lambda: context, again=True)
    reason = "it may start now" if choice.go is Go.RUN else choice.reason
    condition = unit.step.when.condition if unit.step.when is not None else None
    return (f"{name}: pending", reason, *_conditions(condition, context))


def _told(graph: Graph, state: State, key: str, own: UnitState) -> tuple[str, ...]:
    step = graph.units[key].step
    lines = [own.reason] if own.reason else []
    if own.result is Result.WAITING and step.approval is not None:
        lines.append(f"an answer is waited for; without one it is {step.approval.final}")
    attempt = f"attempt {own.attempt} of {step.retry.attempts}"
    if own.not_before is not None:
        lines.append(f"{attempt} waits for its time")
    elif own.run and own.phase is Phase.BODY:
        lines.append(f"{attempt} {f'waits for {graph.services}' if own.held else 'is under way'}")
    if own.lost:
        lines.append(f"its machine was lost {own.lost} times, which uses up no attempt")
    if own.phase in (Phase.BEFORE, Phase.OUTCOME, Phase.FINISH):
        lines.append(f"its hooks run: {own.phase}")
    if step.block is not None and own.phase is Phase.BODY:
        under_way = [k for k in state.active if k != key and graph.units[k].owner == key]
        lines.append(f"under way in it: {', '.join(under_way) or 'nothing'}")
    if state.waits_for and own.ended is None:
        lines.append(f"the build waits: {state.waits_for}")
    if key == BUILD and state.terminated:
        lines.append(f"somebody ended it: {state.terminated}")
    if own.result is Result.SKIPPED and step.when is not None:
        lines += _conditions(step.when.condition, context_of(graph, state, key))
    return tuple(lines)


def _of_services(own: UnitState) -> Iterator[str]:
    if own.reason:
        yield own.reason
    if own.lost:
        yield f"they were lost {own.lost} times, and started again"
    if own.phase is not Phase.DONE:
        yield "they are ready" if own.phase is Phase.BODY else "they are not ready"


def _conditions(condition: Condition | None, context: Context) -> tuple[str, ...]:
    """Return what each expression says now."""
    if condition is None or judge(condition, context)[0]:
        return ()
    texts = {**condition.every, **condition.some}
    lines = []
    for name, text in texts.items():
        filled = context.substituted(text)
        verdict = evaluate(filled, context)
        said = str(verdict.result).lower() if verdict.valid else f"invalid: {verdict.error}"
        lines.append(f"condition {name}: {filled[:200]}  ->  {said}")
    return tuple(lines)
