"""Builds of some steps of a pipeline alone: those that are asked for, or all but some."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from crossfade.base.errors import InputError
from crossfade.base.words import did_you_mean
from crossfade.core.pipeline.document import MAIN_CLONE, Block, Pipeline, Step

APPROVAL = "pending-approval"
"""Type of the steps that wait for a person."""


def chosen(pipeline: Pipeline, only: Collection[str], skip: Collection[str]) -> Pipeline:
    """
    Return the pipeline with the other steps left out; nobody waits for those.

    Without `only` all are meant, with it the main clone still is.  Raises InputError for a name
    that no step has.
    """
    if not (only or skip) or not pipeline.block.steps:  # they may be read later
        return pipeline
    names = {each.name for each in _all(pipeline.block)} | {MAIN_CLONE}
    for each in (*only, *skip):
        if each not in names:
            raise InputError(
                f"there is no step `{each}`{did_you_mean(each, sorted(names))}",
                hint=f"steps: {', '.join(sorted(names))[:300]}",
            )
    block = _marked(pipeline.block, {*only, MAIN_CLONE} if only else names, skip)
    gone = {each.name for each in _all(block) if each.left_out}
    return replace(pipeline, block=_without_waits(block, gone))


def lacks_approvals(pipeline: Pipeline) -> bool:
    """Say whether an approval is left out, or may be: of steps that are only read later."""
    steps = tuple(each for each in _all(pipeline.block) if each.line)  # others are implied
    return not steps or any(each.left_out and _asks(each) for each in steps)


def _asks(step: Step) -> bool:
    blocks = (step.block, *step.hooks.values())
    inner = (each for block in blocks if block is not None for each in block.steps)
    return step.type == APPROVAL or any(_asks(each) for each in inner)


def _all(block: Block) -> Iterator[Step]:
    for each in block.steps:
        yield each
        if each.block is not None and each.plugin is None:
            yield from _all(each.block)


def _marked(block: Block, only: Collection[str], skip: Collection[str]) -> Block:
    return replace(block, steps=tuple(_mark(each, only, skip) for each in block.steps))


def _mark(step: Step, only: Collection[str], skip: Collection[str]) -> Step:
    """Return the step, left out unless it, what it is part of, or a part of it is meant."""
    if step.name in skip:
        return replace(step, left_out=True)
    if step.block is None or step.plugin is not None:
        return replace(step, left_out=step.name not in only)
    inner = {each.name for each in _all(step.block)} if step.name in only else only
    block = _marked(step.block, inner, skip)
    return replace(step, block=block, left_out=all(each.left_out for each in block.steps))


def _without_waits(block: Block, gone: Collection[str]) -> Block:
    return replace(block, steps=tuple(_free(each, gone) for each in block.steps))


def _free(step: Step, gone: Collection[str]) -> Step:
    block = _without_waits(step.block, gone) if step.block is not None else None
    if step.when is None:
        return replace(step, block=block)
    left = tuple(each for each in step.when.steps if each.step not in gone)
    return replace(step, block=block, when=replace(step.when, steps=left))
