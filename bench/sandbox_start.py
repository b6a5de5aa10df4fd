"""
Three clouds start: how long until all of them serve, and how much memory they then take.

Memory is counted twice over: as it is (PSS: a page that several processes share counts once) and
as the sum of what each process has (RSS: the four Envoys share one program of 50 MiB, counted
four times).  Measured as a user meets it: from the start of `sandbox up` until it returns.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from crossfade.sandbox import processes

_CLOUDS = "aws,gcp,onprem"
_RUNS = 5
_SECONDS, _MIB = 3.0, 400.0
_SETTLED_SECONDS = 2.0
_RESULT = Path(__file__).parent / "results" / "sandbox_start.json"
_PROGRAM = (sys.executable, "-c", "from crossfade.cli.main import run; run()")


def command(home: Path, *arguments: str) -> None:
    """Run one `crossfade sandbox` command."""
    environment = {**os.environ, "CROSSFADE_HOME": str(home)}
    subprocess.run(
        [*_PROGRAM, "sandbox", *arguments], env=environment, check=True, capture_output=True
    )


def cpu_ticks(pid: int) -> int:
    """Return the processor time that a process has taken: the part that no neighbour disturbs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def measure(home: Path, port_base: int) -> dict[str, Any]:
    """Return the figures of one start; what the sandbox takes is read once it has settled."""
    load = os.getloadavg()[0]
    began = time.monotonic()
    command(home, "up", "--clouds", _CLOUDS, "--port-base", str(port_base))
    seconds = time.monotonic() - began
    try:
        time.sleep(_SETTLED_SECONDS)
        found = processes.find((home / "sandbox").resolve())
        roles = sorted({one.role for one in found})
        ticks = sum(cpu_ticks(one.pid) for one in found)
        return {
            "seconds": round(seconds, 3),
            "cpu_seconds": round(ticks / os.sysconf("SC_CLK_TCK"), 2),
            "load_before": round(load, 1),
            "pss_mib": round(processes.pss_kib(one.pid for one in found) / 1024, 1),
            "rss_mib": round(sum(one.rss_kib for one in found) / 1024, 1),
            "rss_mib_by_role": {
                role: round(sum(one.rss_kib for one in found if one.role == role) / 1024, 1)
                for role in roles
            },
        }
    finally:
        command(home, "down")


def main() -> None:
    """Measure, print, write, and fail when a target is missed."""
    port_base = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    runs = []
    for _ in range(_RUNS):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(measure(Path(folder), port_base))
            print(runs[-1])
    middle = {
        key: statistics.median(run[key] for run in runs)
        for key in ("seconds", "cpu_seconds", "pss_mib", "rss_mib")
    }
    result = {
        "clouds": _CLOUDS.split(","),
        "cpus": os.cpu_count(),
        "runs": runs,
        "median": middle,
        "worst_seconds": max(run["seconds"] for run in runs),
        "targets": {"seconds": _SECONDS, "mib": _MIB},
        "ok": middle["seconds"] <= _SECONDS and middle["rss_mib"] <= _MIB,
    }
    _RESULT.parent.mkdir(exist_ok=True)
    _RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(
        f"ready after {middle['seconds']:.2f} s (target {_SECONDS:.0f} s) and "
        f"{middle['cpu_seconds']:.2f} s of processor time, "
        f"{middle['pss_mib']:.0f} MiB, as the sum of processes {middle['rss_mib']:.0f} MiB "
        f"(target {_MIB:.0f} MiB)"
    )
    if max(run["load_before"] for run in runs) > (os.cpu_count() or 1):
        print("the machine was busy with other work: the processor time is the better figure")
    sys.exit(0 if result["ok"] else 1)


if __name__ == "__main__":
    main()
