"""
Proves that the tests of `core` notice when one of its rules is broken.

Each mutant is a copy of the sources with one rule changed; its tests must fail on it.  A change
that no longer fits the source is an error, so that the list stays true.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
HISTORIES = "tests/simulation/test_rollout_histories.py"
DECIDE = "tests/core/rollout/test_decide.py"


@dataclass(frozen=True)
class Mutant:
    """One broken rule."""

    breaks: str
    """The invariant, as DESIGN numbers and names it."""
    file: str
    old: str
    new: str
    tests: str


MUTANTS = (
    Mutant(
        "1 exposure: users rise without waiting for every cluster",
        "core/rollout/decide.py",
        "    if state.level_since is None:\n        reason",
        "    if state.level_since is None and now < 0:\n        reason",
        DECIDE,
    ),
    Mutant(
        "1 exposure: a stale cluster keeps its users",
        "core/traffic/plan.py",
        "if behind != 0 and not stepping:",
        "if behind < 0:",
        HISTORIES,
    ),
    Mutant(
        "2 last copy: an empty plan is published",
        "core/traffic/plan.py",
        "if any(share.weight > 0 for share in shares) or not any(before.values()):",
        "if True:",
        HISTORIES,
    ),
    Mutant(
        "4 silence: it promotes",
        "core/rollout/decide.py",
        "if sight.judgement.verdict is Verdict.PASS or state.passed >= state.step:",
        "if sight.judgement.verdict is not Verdict.FAIL or state.passed >= state.step:",
        HISTORIES,
    ),
    Mutant(
        "4 silence: it rolls back",
        "core/rollout/decide.py",
        "if judged and sight.judgement.verdict is Verdict.FAIL:",
        "if judged and sight.judgement.verdict is not Verdict.PASS:",
        HISTORIES,
    ),
    Mutant(
        "4 silence: no telemetry counts as good",
        "core/analysis/thresholds.py",
        "    if silent:",
        "    if silent and requests < 0:",
        "tests/core/analysis/test_thresholds.py",
    ),
    Mutant(
        "5 stale gets nothing: a cluster that is back serves before it was looked at",
        "core/traffic/plan.py",
        "report.looked_at < health.back_at:",
        "report.looked_at < 0:",
        "tests/core/traffic/test_plan.py",
    ),
    Mutant(
        "6 shrink last: removed without draining",
        "core/release/converge.py",
        "now - idle_since >= drain_seconds",
        "now - idle_since >= 0",
        HISTORIES,
    ),
    Mutant(
        "6 shrink last: removed before the data plane has confirmed",
        "core/release/converge.py",
        "    if seen.epoch != wanted.epoch:\n        return Rest(",
        "    if seen.epoch != wanted.epoch and not seen.revisions:\n        return Rest(",
        "tests/core/release/test_converge.py",
    ),
    Mutant(
        "6 shrink last: users are sent to a revision without a ready pod",
        "core/release/converge.py",
        "report.ready_pods == 0:\n            return Rest(report.trouble",
        "report.ready_pods < 0:\n            return Rest(report.trouble",
        "tests/core/release/test_converge.py",
    ),
    Mutant(
        "7 honest roll back: success while a cluster is pending",
        "core/rollout/decide.py",
        "    if pending:\n        reason",
        "    if len(pending) == total:\n        reason",
        DECIDE,
    ),
    Mutant(
        "8 idempotent: an epoch for each look, not for each change",
        "core/release/wanted.py",
        "    if dict(wanted.shares) == shares:",
        "    if dict(wanted.shares) == shares and len(shares) > 9:",
        HISTORIES,
    ),
    Mutant(
        "10 never back onto a broken stable",
        "core/rollout/decide.py",
        "if each.reachable and not each.stable_whole]",
        "if not each.reachable and not each.stable_whole]",
        DECIDE,
    ),
)


def killed(mutant: Mutant) -> bool:
    """Return whether the tests notice; they run against a copy with the rule broken."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        path = copy / "crossfade" / mutant.file
        text = path.read_text()
        if text.count(mutant.old) != 1:
            raise SystemExit(f"`{mutant.breaks}` no longer fits {mutant.file}: mend the list")
        path.write_text(text.replace(mutant.old, mutant.new))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, "-o", f"pythonpath={copy}", mutant.tests],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in {0, 1}:
        raise SystemExit(f"the tests could not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 1


def main() -> int:
    """Try every mutant; the exit code tells whether all were noticed."""
    survivors = 0
    for mutant in MUTANTS:
        dead = killed(mutant)
        survivors += not dead
        sys.stdout.write(f"{'killed  ' if dead else 'SURVIVED'} {mutant.breaks}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} mutants were killed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
