"""`crossfade rollout why`: the story of a rollout, and the same again offline."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossfade.base.errors import RolloutFailed
from crossfade.base.ids import ApplicationName
from crossfade.cli.frame import with_session
from crossfade.cli.output import Format, OutputOption, show
from crossfade.cli.rollout_view import status

if TYPE_CHECKING:
    from crossfade.engine.history import Chapter, Story


def why(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="APPLICATION", help="Name of the application.")],
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=1, help="Of this rollout, not the newest.")
    ] = None,
    replay: Annotated[
        bool,
        typer.Option("--replay", help="Make every decision again, and say whether it is the same."),
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Tell the whole story: every decision, verdict and command with its reason.

    All of it comes from the store; no hub and no cluster is asked.
    """
    story = with_session(
        context,
        lambda session: session.history.story(ApplicationName(name), number, again=replay),
    )
    show(_data(story), output, lambda: _text(story, replay))
    if story.different:
        first = story.different[0]
        raise RolloutFailed(
            f"{len(story.different)} of {story.replayed} decisions came out otherwise",
            hint="they were made by another version of crossfade, or the store was changed",
            first=first.reason,
        )


def _data(story: "Story") -> dict[str, Any]:
    rollout = story.rollout
    return {
        "application": rollout.application,
        "number": rollout.number,
        "revision": rollout.canary.id,
        "stable": rollout.stable.id if rollout.stable else None,
        "status": status(rollout),
        "replayed": story.replayed,
        "different": len(story.different),
        "chapters": [
            {
                "at": each.at,
                "kind": each.kind,
                "reason": each.reason,
                "facts": each.facts,
                "identical": each.identical,
            }
            for each in story.chapters
        ],
    }


def _text(story: "Story", replay: bool) -> str:
    rollout = story.rollout
    stable = rollout.stable.id if rollout.stable else "nothing"
    lines = [
        f"{rollout.application}.{rollout.number}: {stable} -> {rollout.canary.id},"
        f" {status(rollout)}: {rollout.state.reason}"
    ]
    lines += [_line(each) for each in story.chapters]
    if replay:
        same = story.replayed - len(story.different)
        word = "identical" if not story.different else f"{len(story.different)} otherwise"
        lines.append(f"{same} of {story.replayed} decisions and verdicts made again: {word}")
    return "\n".join(lines)


def _line(chapter: "Chapter") -> str:
    at = f"{datetime.fromtimestamp(chapter.at, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-4] + "Z"
    mark = {None: "", True: "= ", False: "! "}[chapter.identical]
    return f"{at}  {mark}{chapter.kind:8}  {_figures(chapter)}{chapter.reason}"


def _figures(chapter: "Chapter") -> str:
    facts = chapter.facts
    if chapter.kind == "decision":
        return f"{facts['phase']} {facts['percent']:g} %: "
    if chapter.kind == "verdict":
        windows = facts["windows"]
        canary = sum(each["n_c"] for each in windows)
        bad = sum(each["events"].get("errors", [0, 0])[0] for each in windows)
        return f"{bad} of {canary} failed, evidence {facts['e']:.2f}, harm {facts['harm']:.0f}: "
    return ""
