"""What a kill, a full disk and a second process may do to the file of a cloud."""

import json
import os
import resource
import signal
import subprocess
import sys

import pytest

from crossfade.sandbox.kube.journal import Journal

WRITER = """
import sys
from pathlib import Path
from crossfade.sandbox.kube.journal import Journal
journal = Journal(Path(sys.argv[1]))
head = next(journal.load())
if not head:
    journal.rewrite({"revision": 1}, ())
number = 0
while True:
    number += 1
    journal.append({"n": number, "text": "x" * 500})
    print(number, flush=True)
"""


def _records(path) -> list[dict]:
    with Journal(path) as journal:
        return list(journal.load())[1:]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cloud" / "objects.journal"


@pytest.fixture
def journal(path):
    with Journal(path) as opened:
        list(opened.load())
        opened.rewrite({"revision": 1}, ())
        yield opened


def test_what_was_appended_is_read_again(path):
    with Journal(path) as journal:
        assert list(journal.load()) == [{}]
        journal.rewrite({"revision": 1}, [{"n": 0}])
        journal.append({"n": 1})
        journal.append({"n": 2, "text": "ü\ud800"})
    with Journal(path) as journal:
        head, *records = journal.load()
    assert head["revision"] == 1
    assert [record["n"] for record in records] == [0, 1, 2]


def test_nothing_that_was_told_is_lost_by_a_kill(path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(3):
        path.unlink(missing_ok=True)
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
            for _ in range(200):
                told = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            told = max([told, *(int(line) for line in writer.stdout if line.endswith(b"\n"))])
        numbers = [record["n"] for record in _records(path)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= told


@pytest.mark.parametrize("rest", [b'{"n": 3', b"\x00\x00", b'{"n": 3}', b"garbage\n"])
def test_a_torn_end_is_dropped_and_written_over(path, journal, rest):
    journal.append({"n": 1})
    journal.append({"n": 2})
    journal.close()
    with path.open("ab") as file:
        file.write(rest)
    with Journal(path) as again:
        assert [record.get("n") for record in again.load()][1:] == [1, 2]
        again.append({"n": 4})
    assert [record["n"] for record in _records(path)] == [1, 2, 4]


def test_a_full_disk_leaves_what_was_there(path, journal):
    journal.append({"n": 1})
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, limit[1]))
        with pytest.raises(OSError, match="File too large"):
            journal.append({"n": 2, "text": "x" * 500})
        with pytest.raises(OSError, match="File too large"):
            journal.rewrite({"revision": 9}, [{"text": "x" * 500}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.append({"n": 3})
    journal.close()
    assert [record["n"] for record in _records(path)] == [1, 3]


def test_one_process_at_a_time_has_the_file(path, journal):
    with pytest.raises(BlockingIOError):
        Journal(path)


def test_other_users_cannot_read_secrets(path, journal):
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_file_of_another_format_is_refused(path):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 99}) + "\n")
    with Journal(path) as journal, pytest.raises(ValueError, match="format 99"):
        list(journal.load())


def test_a_file_that_is_mostly_out_of_date_is_rewritten_smaller(path, journal):
    while not journal.grown():
        journal.append({"text": "x" * 100_000})
    before = path.stat().st_size
    journal.rewrite({"revision": 7}, [{"n": 1}])
    assert path.stat().st_size < before / 100
    assert not journal.grown()
    journal.append({"n": 2})
    journal.close()
    assert [record["n"] for record in _records(path)] == [1, 2]
