"""`crossfade pipeline`: codefresh.yml files, checked and run as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli import (
    pipeline_environment,
    pipeline_files,
    pipeline_registered,
    pipeline_run,
)
from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, json_line, note, show

if TYPE_CHECKING:
    from crossfade.adapters.pipelines.judging import Judged
    from crossfade.core.pipeline.expression.evaluate import Verdict
    from crossfade.core.pipeline.expression.values import Value
    from crossfade.core.pipeline.findings import Finding
    from crossfade.core.pipeline.typed import Definitions

app = noun("Check and run pipelines of codefresh.yml files.")

REJECTED_EXIT_CODE = 1


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Pipeline files; `-` reads standard input.")],
    steps: Annotated[
        str | None,
        typer.Option(help="Folder or address with definitions of typed steps (step.yaml)."),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Say whether pipelines are accepted, and list everything that is wrong.

    Ends with 0 when all files are accepted and with 1 when one is not.  JSON is one object a line
    for each file, in their order.
    """
    definitions = _definitions(steps)
    rejected = False
    for path in files:
        judged = _judge(path, definitions)
        rejected = rejected or not judged.verdict.accepted
        if output is Format.JSON:
            typer.echo(json_line(_data(path, judged)))
        else:
            typer.echo(_text(path, judged))
    if rejected:
        raise typer.Exit(REJECTED_EXIT_CODE)


def _definitions(place: str | None) -> "Definitions":
    if place is None:
        return {}
    from crossfade.adapters.pipelines.definitions import read_definitions  # slow: an HTTP client

    return read_definitions(place)


def _judge(path: Path, definitions: "Definitions") -> "Judged":
    from crossfade.adapters.pipelines.judging import Judged, judge
    from crossfade.adapters.pipelines.reading import read_pipeline
    from crossfade.core.pipeline.findings import Finding, Verdict
    from crossfade.core.pipeline.tree import Mark

    try:
        return judge(read_pipeline(path), definitions)
    except InputError as error:  # no text, so no YAML either
        return Judged(Verdict.YAML_ERROR, (Finding(Mark(1, 1), "", str(error)),), ())


def _data(path: Path, judged: "Judged") -> dict[str, object]:
    return {
        "file": str(path),
        "verdict": judged.verdict.value,
        "errors": [_finding(each) for each in judged.errors],
        "warnings": [_finding(each) for each in judged.warnings],
    }


def _finding(finding: "Finding") -> dict[str, object]:
    return {
        "line": finding.at.line,
        "column": finding.at.column,
        "path": finding.path,
        "message": finding.message,
    }


def _text(path: Path, judged: "Judged") -> str:
    lines = [
        f"{path}:{each.at.line}:{each.at.column}: {kind}: "
        f"{f'{each.path}: ' if each.path else ''}{each.message}"
        for kind, found in (("error", judged.errors), ("warning", judged.warnings))
        for each in found
    ]
    return "\n".join([*lines, f"{path}: {judged.verdict.value.replace('_', ' ')}"])


@app.command(name="eval", context_settings={"ignore_unknown_options": True})
def evaluate(
    expression: Annotated[
        str | None, typer.Argument(help="An expression, as it stands in a condition.")
    ] = None,
    variables: Annotated[
        Path | None, typer.Option(help="Variables: a file with a JSON or YAML mapping.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="Many: a JSON file with `variables` and `cases`, each an `expression`."),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Evaluate an expression of a condition.

    References such as ${{NAME}} are replaced first.  What is invalid counts as false.
    """
    from crossfade.adapters.pipelines.cases import read_cases, read_variables

    given = read_variables(variables) if variables is not None else {}
    if (expression is None) == (file is None):
        raise InputError(
            "either an expression or --file is wanted",
            hint="write crossfade pipeline eval '1 == 1', or --file cases.json",
        )
    if file is not None:
        results = [_verdict(each.text, {**each.variables, **given}) for each in read_cases(file)]
        show([_shown(each) for each in results], output, lambda: "\n".join(map(_line, results)))
        return
    verdict = _verdict(expression or "", given)
    show(_shown(verdict), output, lambda: str(verdict.result).lower())
    if verdict.error is not None and output is Format.TEXT:
        note(f"invalid, so it counts as false: {verdict.error}")


def _verdict(text: str, variables: "Mapping[str, Value]") -> "Verdict":
    from crossfade.core.pipeline.expression.evaluate import evaluate as run
    from crossfade.core.pipeline.expression.values import written
    from crossfade.core.pipeline.variables import substituted

    def answer(name: str) -> str | None:
        return written(variables[name]) if name in variables else None

    return run(substituted(text, answer), variables)


def _shown(verdict: "Verdict") -> dict[str, object]:
    return {"valid": verdict.valid, "result": verdict.result, "error": verdict.error}


def _line(verdict: "Verdict") -> str:
    return str(verdict.result).lower() + (f"  invalid: {verdict.error}" if verdict.error else "")


app.command()(pipeline_run.run)
app.command(name="list")(pipeline_run.list_builds)
app.command()(pipeline_run.logs)
app.command()(pipeline_run.why)
app.command()(pipeline_run.approve)
app.command()(pipeline_run.deny)
app.command()(pipeline_run.resume)
app.command()(pipeline_run.restart)
app.command()(pipeline_run.terminate)
app.command()(pipeline_registered.apply)
app.command()(pipeline_registered.registered)
app.command()(pipeline_registered.unregister)
app.command()(pipeline_registered.start)
app.command(name="tests")(pipeline_files.results)
app.command()(pipeline_files.artifacts)
app.command()(pipeline_files.prune)
app.add_typer(pipeline_environment.app, name="environment")
