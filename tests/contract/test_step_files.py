"""What outlasts the workspace of a build."""

import asyncio
import os
from dataclasses import replace

import pytest

from crossfade.adapters.runners.kept_files import KeptFiles
from crossfade.adapters.runners.old_files import locked
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import InputError, NotFound, Unavailable
from crossfade.core.pipeline.forgetting import InUse, Limits
from crossfade.core.pipeline.junit import Outcome
from crossfade.core.pipeline.keeping import Artifact
from crossfade.ports.runner import Order, RunId

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite name="unit">
  <testcase classname="shop" name="pays" time="0.5"/>
  <testcase classname="shop" name="refunds"><failure message="no money">trace</failure></testcase>
  <testcase name="waits"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "runs/7/volume"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def files(tmp_path, volume):
    return opened(tmp_path)


def opened(tmp_path, **limits):
    runs = tmp_path / "runs"
    return KeptFiles(tmp_path / "kept", lambda build: runs / build / "volume", **limits)


def order(build="7", directory="/codefresh/volume", number=1, **environment):
    given = {f"CROSSFADE_{name.upper()}": value for name, value in environment.items()}
    return Order(RunId(build, 0, "test", number), "", directory=directory, environment=given)


async def test_reports_become_results_by_test(files, volume):
    (volume / "shop/out").mkdir(parents=True)
    (volume / "shop/out/unit.xml").write_text(REPORT)

    kept = await files.keep(
        order(directory="/codefresh/volume/shop", tests="out/*.xml"), succeeded=False
    )

    assert [(each.suite, each.name, each.outcome) for each in kept.cases] == [
        ("shop", "pays", Outcome.PASSED),
        ("shop", "refunds", Outcome.FAILED),
        ("unit", "waits", Outcome.SKIPPED),
    ]
    assert kept.cases[1].message == "no money"
    assert kept.summary == "3 tests (1 failed, 1 skipped)"


async def test_secrets_in_results_of_tests_are_masked(files, volume):
    (volume / "unit.xml").write_text(REPORT.replace("no money", "no money for tok-12345"))

    kept = await files.keep(
        replace(order(tests="unit.xml"), secrets=("tok-12345",)), succeeded=False
    )

    assert kept.cases[1].message == "no money for ***"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<testsuite", "no XML"),
        ("<html/>", "its root is <html>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "it has a document type"),
        ("", "no XML"),
    ],
)
async def test_what_is_no_report_is_said_and_fails_nothing(files, volume, text, why):
    (volume / "unit.xml").write_text(text)

    kept = await files.keep(order(tests="unit.xml missing.xml"), succeeded=True)

    assert kept.cases == ()
    assert f"unit.xml is no report of tests: {why}" in kept.summary


async def test_artifacts_are_there_after_the_workspace_is_gone_and_once_for_the_same_content(
    files, volume, tmp_path
):
    (volume / "dist/deep").mkdir(parents=True)
    (volume / "dist/one").write_bytes(b"same")
    (volume / "dist/deep/two").write_bytes(b"same")

    await files.keep(order(artifacts="dist"), succeeded=True)
    for each in (volume / "dist/one", volume / "dist/deep/two"):
        each.unlink()

    (kept,) = await opened(tmp_path).kept("7")
    assert [each.path for each in kept.artifacts] == ["dist/one", "dist/deep/two"]
    assert kept.notes == (), "a folder that is kept is not said to be missing"
    assert [await files.read(each) for each in kept.artifacts] == [b"same", b"same"]
    contents = [each for each in (tmp_path / "kept/contents").rglob("*") if each.is_file()]
    assert len(contents) == 1


async def test_files_that_are_too_large_are_left_out_and_named(volume, tmp_path):
    (volume / "a").write_bytes(b"1234")
    (volume / "b").write_bytes(b"12345678")
    (volume / "c").write_bytes(b"123")
    files = opened(tmp_path, largest_file=5, largest_step=6)

    kept = await files.keep(order(artifacts="a b c"), succeeded=True)

    assert [each.path for each in kept.artifacts] == ["a"]
    assert kept.notes == (
        "b not kept: it has 8 bytes, 2 are allowed",
        "c not kept: it has 3 bytes, 2 are allowed",
    )


async def test_nothing_from_outside_of_the_workspace_is_kept(files, volume, tmp_path):
    (tmp_path / "private").write_text("secret")
    (volume / "link").symlink_to(tmp_path / "private")
    (volume / "folder").symlink_to(tmp_path)

    wish = "link folder ../../../private folder/private /etc/passwd"
    kept = await files.keep(order(artifacts=wish, tests=wish), succeeded=True)

    assert kept.artifacts == kept.cases == ()
    assert not [each for each in kept.notes if "is no report" in each], "it was read"


async def test_a_cached_folder_comes_back_as_long_as_its_inputs_are_the_same(
    files, volume, tmp_path
):
    wish = {"cache": "modules", "cache_key": "lock"}
    (volume / "modules/bin").mkdir(parents=True)
    (volume / "lock").write_text("1")
    (volume / "modules/bin/tool").write_text("#!/bin/sh\n")
    (volume / "modules/bin/tool").chmod(0o755)
    (volume / "modules/alias").symlink_to("bin/tool")
    await files.keep(order(**wish), succeeded=True)
    other = tmp_path / "runs/8/volume"
    other.mkdir(parents=True)
    (other / "lock").write_text("1")

    told = await files.restore(order("8", **wish))

    assert told == "from the cache: modules"
    assert (other / "modules/alias").read_text() == "#!/bin/sh\n"
    assert (other / "modules/bin/tool").stat().st_mode & 0o111
    (other / "lock").write_text("2")
    assert await files.restore(order("8", **wish)) == "nothing is cached for these inputs"


async def test_a_cache_that_has_lost_a_content_is_none(files, volume, tmp_path):
    (volume / "modules").mkdir()
    (volume / "modules/file").write_text("cached")
    await files.keep(order(cache="modules"), succeeded=True)
    for each in (tmp_path / "kept/contents").rglob("*"):
        if each.is_file():
            each.unlink()

    assert await files.restore(order(cache="modules")) == "nothing is cached for these inputs"
    await files.keep(order(cache="modules"), succeeded=True)
    assert await files.restore(order(cache="modules")) == "from the cache: modules"


async def test_a_name_of_a_file_cannot_write_to_the_terminal(volume, tmp_path):
    (volume / "a\x1b[2Jb").write_text("too large")

    kept = await opened(tmp_path, largest_file=1).keep(order(artifacts="a*"), succeeded=True)

    assert kept.notes == ("a?[2Jb not kept: it has 9 bytes, 1 are allowed",)


async def test_a_step_that_failed_leaves_nothing_in_the_cache(files, volume):
    (volume / "modules").mkdir()
    (volume / "modules/half").write_text("")
    await files.keep(order(cache="modules"), succeeded=False)

    assert await files.restore(order(cache="modules")) == "nothing is cached for these inputs"


async def test_a_cache_is_not_written_through_a_link_that_a_build_has_put_there(
    files, volume, tmp_path
):
    (volume / "modules").mkdir()
    (volume / "modules/file").write_text("cached")
    await files.keep(order(cache="modules"), succeeded=True)
    other, outside = tmp_path / "runs/8/volume", tmp_path / "outside"
    other.mkdir(parents=True)
    outside.mkdir()
    (other / "modules").symlink_to(outside)

    await files.restore(order("8", cache="modules"))

    assert list(outside.iterdir()) == []


async def test_keeping_twice_changes_nothing(files, volume):
    (volume / "file").write_text("x")
    first = await files.keep(order(artifacts="file"), succeeded=True)

    assert await files.keep(order(artifacts="file"), succeeded=True) == first
    assert await files.kept("7") == (first,)


async def test_a_content_that_was_lost_is_not_found(files):
    lost = Artifact("x", "0" * 64, 1)
    with pytest.raises(NotFound):
        await files.read(lost)
    with pytest.raises(NotFound):
        await anext(files.pieces(lost))


async def test_a_large_file_is_never_in_memory_as_a_whole_and_is_read_to_its_end(files, volume):
    (volume / "big").write_bytes(b"0123456789abcdef" * 200_000)
    (artifact,) = (await files.keep(order(artifacts="big"), succeeded=True)).artifacts
    pieces = files.pieces(artifact)
    found = [await anext(pieces)]
    await files.forget(ALL, NOBODY, now())
    found += [each async for each in pieces]

    assert max(map(len, found)) < artifact.size / 2
    assert b"".join(found) == b"0123456789abcdef" * 200_000


async def test_a_folder_that_cannot_be_written_is_no_end_of_the_build(volume, tmp_path):
    (tmp_path / "kept").write_text("no folder")
    (volume / "file").write_text("x")

    with pytest.raises(Unavailable):
        await opened(tmp_path).keep(order(artifacts="file"), succeeded=True)


WEEK = 7 * 86400.0
NOBODY = InUse()
now = SteadyClock().now
ALL = Limits(size=0)


async def kept_in(files, volume, build, text):
    folder = volume.parent.parent / build / "volume"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "out.txt").write_text(text)
    await files.keep(order(build, artifacts="out.txt"), succeeded=True)
    return (await files.kept(build))[-1].artifacts[0]


async def test_forgotten_artifacts_leave_their_reason_and_free_their_room(files, volume, tmp_path):
    first = await kept_in(files, volume, "1", "only here")
    shared = await kept_in(files, volume, "2", "in both")
    await kept_in(files, volume, "3", "in both")

    (told,) = await files.forget(ALL, InUse(frozenset("23")), now(), dry_run=True)
    assert (told.entry.build, told.size) == ("1", len("only here"))
    assert await files.read(first) == b"only here", "it was only told"
    await files.forget(ALL, InUse(frozenset("23")), now())

    with pytest.raises(NotFound):
        await files.read(first)
    (kept,) = await files.kept("1")
    assert (kept.artifacts, kept.forgotten) == ((), "more than 0 GiB are kept")
    await files.forget(ALL, InUse(frozenset("3")), now())
    assert await files.read(shared) == b"in both", "another build has it too"


async def test_results_of_tests_outlast_artifacts(files, volume):
    (volume / "unit.xml").write_text(REPORT)
    await files.keep(order(tests="unit.xml", artifacts="unit.xml"), succeeded=True)

    await files.forget(ALL, NOBODY, now())

    (kept,) = await files.kept("7")
    assert len(kept.cases) == 3


async def test_a_forgotten_cache_is_made_again_and_one_in_use_stays(files, volume):
    (volume / "deps").mkdir()
    (volume / "deps/a").write_text("a")
    asked = order(cache="deps")
    await files.keep(asked, succeeded=True)
    assert await files.forget(Limits(seconds=WEEK), NOBODY, now()) == ()

    used = InUse(since=now() - 60)
    assert await files.forget(ALL, used, now()) == ()
    assert await files.restore(asked) == "from the cache: deps"
    assert len(await files.forget(Limits(seconds=WEEK), NOBODY, now() + 2 * WEEK)) == 1
    assert await files.restore(asked) == "nothing is cached for these inputs"
    await files.keep(asked, succeeded=True)
    assert await files.restore(asked) == "from the cache: deps"


async def test_a_cache_that_is_used_is_young_again(files, volume, tmp_path):
    (volume / "deps").write_text("a")
    asked = order(cache="deps")
    await files.keep(asked, succeeded=True)
    (index,) = (tmp_path / "kept/caches").iterdir()
    os.utime(index, (1, 1))

    await files.restore(asked)

    assert await files.forget(Limits(seconds=WEEK), NOBODY, now()) == ()


async def test_what_a_killed_keeper_and_a_killed_forgetter_left_goes_with_the_next(
    files, volume, tmp_path
):
    artifact = await kept_in(files, volume, "1", "needed")
    contents = tmp_path / "kept/contents"
    (contents / "ab").mkdir()
    (contents / "ab" / ("ab" * 32)).write_text("its list is gone already")
    (contents / "12.part").write_text("half of a file")

    await files.forget(Limits(), NOBODY, now())

    left = [each.name for each in contents.rglob("*") if each.is_file()]
    assert left == [artifact.digest]


async def test_a_damaged_list_stops_forgetting_before_anything_is_lost(files, volume, tmp_path):
    artifact = await kept_in(files, volume, "1", "a")
    await kept_in(files, volume, "2", "b")
    (index,) = (tmp_path / "kept/2/kept").iterdir()
    index.write_text("{")

    with pytest.raises(InputError, match="cannot be read"):
        await files.forget(ALL, NOBODY, now())
    with pytest.raises(InputError, match="cannot be read"):
        await files.kept("2")

    assert await files.read(artifact) == b"a"


async def test_nothing_is_forgotten_while_files_are_kept(files, volume, tmp_path):
    artifact = await kept_in(files, volume, "1", "a")

    async with asyncio.TaskGroup() as group:
        with locked(tmp_path / "kept"):
            forgetting = group.create_task(files.forget(ALL, NOBODY, now()))
            await asyncio.sleep(0.1)
            assert await files.read(artifact) == b"a"

    assert len(forgetting.result()) == 1


async def test_a_pipe_in_a_kept_folder_holds_nobody_up(files, volume):
    (volume / "out").mkdir()
    os.mkfifo(volume / "out/pipe")
    (volume / "out/file").write_text("x")

    async with asyncio.timeout(5):
        kept = await files.keep(order(artifacts="out", cache="out"), succeeded=True)

    assert [each.path for each in kept.artifacts] == ["out/file"]
