"""
The same job of steps in sequence here and in other tools that run pipelines on one machine.

    python bench/pipeline_tools.py --install /tmp/pipeline-tools     # once: from npm and PyPI
    python bench/pipeline_tools.py --tools /tmp/pipeline-tools

Each step writes down when it runs.  What counts is the time from one to the next: nobody's start,
reading of files or end is in it.  All tools are as they are when installed; gitlab-ci-local needs
git and rsync (Debian packages).
"""

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness import verdict, write

STEPS, ROUNDS = 20, 3
SECONDS = 90.0
GITLAB = "gitlab-ci-local@4.61.1"
BUILDBOT = ("buildbot==4.3.0", "buildbot-worker==4.3.0", "setuptools")
_STAMP = "date +%s%N >> {file}"


def install(tools: Path) -> None:
    """Put the other tools into a folder, with the ordinary clients of their registries."""
    tools.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "install", "--silent", "--prefix", tools / "npm", GITLAB], check=True)
    subprocess.run([sys.executable, "-m", "venv", tools / "venv"], check=True)
    subprocess.run([tools / "venv/bin/pip", "install", "-q", *BUILDBOT], check=True)


def between(times: Path) -> float:
    """Return the milliseconds from one step to the next, the median of the job."""
    stamps = [int(each) / 1e6 for each in times.read_text().split()]
    if len(stamps) != STEPS:
        raise RuntimeError(f"{len(stamps)} of {STEPS} steps ran")
    return statistics.median(b - a for a, b in itertools.pairwise(stamps))


def run(command: list[str | Path], folder: Path, **environment: str) -> None:
    """Run a tool to its end; what it says is of interest only when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout[-500:]}{done.stderr[-500:]}")


def bare(folder: Path, _tools: Path) -> float:
    """Return the figure of a loop over a bare `sh -c`."""
    for _ in range(STEPS):
        run(["/bin/sh", "-c", _STAMP.format(file="times")], folder)
    return between(folder / "times")


def crossfade(folder: Path, _tools: Path) -> float:
    """Return the figure of `crossfade pipeline run`."""
    command = _STAMP.format(file="/codefresh/volume/times")
    lines = [f"  s{n}: {{image: alpine, commands: ['{command}']}}\n" for n in range(STEPS)]
    (folder / "codefresh.yml").write_text(f"version: '1.0'\nsteps:\n{''.join(lines)}")
    ours = [sys.executable, "-m", "crossfade.cli.main", "pipeline", "run", "codefresh.yml"]
    run([*ours], folder, CROSSFADE_HOME=str(folder / "home"))
    return between(folder / "home/pipelines/1/volume/times")


def gitlab_ci_local(folder: Path, tools: Path) -> float:
    """Return the figure of jobs that need one another, in its shell executor."""
    times = folder / "times"
    jobs = [
        f"s{n}:\n  stage: all\n  script: ['{_STAMP.format(file=times)}']\n"
        + (f"  needs: [s{n - 1}]\n" if n else "")
        for n in range(STEPS)
    ]
    (folder / ".gitlab-ci.yml").write_text("stages: [all]\n" + "".join(jobs))
    author = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    run(["git", "init", "-q", "."], folder)
    run(["git", *author, "commit", "-q", "--allow-empty", "-m", "bench"], folder)
    run(["git", "remote", "add", "origin", "https://git.example.com/bench/bench.git"], folder)
    run([tools / "npm/node_modules/.bin/gitlab-ci-local", "--cwd", "."], folder)
    return between(times)


def buildbot(folder: Path, tools: Path) -> float:
    """Return the figure of one build of a master with a worker in its own process."""
    times, program = folder / "times", tools / "venv/bin/buildbot"
    run([program, "create-master", "master"], folder)
    (folder / "master/master.cfg").write_text(_MASTER.format(command=_STAMP.format(file=times)))
    started = [program, "start", "--nodaemon", "master"]
    with subprocess.Popen(started, cwd=folder, stdout=subprocess.DEVNULL) as master:
        try:
            until = time.monotonic() + SECONDS
            while not times.exists() or len(times.read_text().split()) < STEPS:
                if time.monotonic() > until or master.poll() is not None:
                    raise RuntimeError("the build did not end; see master/twistd.log")
                time.sleep(0.2)
        finally:
            master.terminate()
    return between(times)


_MASTER = f"""from buildbot.plugins import schedulers, steps, util, worker
command = ["sh", "-c", "{{command}}"]
every = [steps.ShellCommand(command=command, name=f"s{{{{n}}}}") for n in range({STEPS})]
BuildmasterConfig = {{{{
    "buildbotNetUsageData": None,
    "protocols": {{{{"null": {{{{}}}}}}}},
    "workers": [worker.LocalWorker("local")],
    "schedulers": [
        schedulers.Periodic(name="now", builderNames=["b"], periodicBuildTimer=100000)
    ],
    "builders": [
        util.BuilderConfig(name="b", workernames=["local"], factory=util.BuildFactory(every))
    ],
    "db": {{{{"db_url": "sqlite:///state.sqlite"}}}},
}}}}
"""
PROGRAMS: Mapping[str, Callable[[Path, Path], float]] = {
    "bare sh -c": bare,
    "crossfade": crossfade,
    "gitlab-ci-local": gitlab_ci_local,
    "buildbot": buildbot,
}
NEEDS = {
    "gitlab-ci-local": "npm/node_modules/.bin/gitlab-ci-local",
    "buildbot": "venv/bin/buildbot",
}


def missing(name: str, tools: Path) -> str:
    """Return why a tool cannot be measured, "" when it can."""
    if name in NEEDS and not (tools / NEEDS[name]).exists():
        return "not installed; see --install"
    needs = ("git", "rsync") if name == "gitlab-ci-local" else ()
    absent = [each for each in needs if shutil.which(each) is None]
    return f"needs {', '.join(absent)}" if absent else ""


def main() -> int:
    """Take turns, as other work on the machine disturbs all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", type=Path, metavar="FOLDER", help="install the others, once")
    parser.add_argument("--tools", type=Path, default=Path("/nonexistent"), metavar="FOLDER")
    options = parser.parse_args()
    if options.install is not None:
        install(options.install)
        return 0
    tools = options.tools.resolve()
    why = {name: missing(name, tools) for name in PROGRAMS}
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS if not why[name]}
    for _ in range(ROUNDS):
        for name, times in taken.items():
            with tempfile.TemporaryDirectory() as folder:
                times.append(PROGRAMS[name](Path(folder), tools))
    figures = {name: statistics.median(times) for name, times in taken.items()}
    others = [figures[name] for name in NEEDS if name in figures]
    good = all(figures["crossfade"] <= each for each in others)
    for name in PROGRAMS:
        told = why[name] or f"{figures[name]:.1f} ms, {1000 / figures[name]:.1f} steps/s"
        print(f"{name}: {told}{'  ' + verdict(good) if name == 'crossfade' and others else ''}")
    print(f"from one step to the next; {STEPS} steps in sequence, medians of {ROUNDS} rounds")
    write("pipeline_tools", {"ms_between_steps": figures, "missing": why})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
