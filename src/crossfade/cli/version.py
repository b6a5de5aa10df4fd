"""`crossfade version`"""

import platform
from importlib.metadata import PackageNotFoundError, version

from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, show

app = noun()


@app.command()
def print_version(output: OutputOption = Format.TEXT) -> None:
    """Print the version."""
    try:
        number = version("crossfade")
    except PackageNotFoundError:  # run from a checkout that is not installed
        number = "unknown"
    data = {"crossfade": number, "python": platform.python_version()}
    show(data, output, lambda: f"crossfade {number}")
