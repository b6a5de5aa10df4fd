"""A slice of what `tools/fuzz_pipelines.py` tries."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parent.parent.parent / "tools/fuzz_pipelines.py"


def test_nothing_breaks_or_hangs_the_pipeline_language_and_no_log_leaks():
    count = ["--documents", "400", "--expressions", "1000", "--lines", "500", "--seed", "5"]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(TOOL), *count],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1000 expressions" in done.stdout
    assert "10 logs: of 50 lines masked" in done.stdout
    assert "400 documents" in done.stdout
