"""Steps that run inside of images which the same pipeline has built."""

import os
import subprocess
import sys

import pytest

from crossfade.adapters.images import running
from crossfade.adapters.runners import bubblewrap
from crossfade.base.errors import Unavailable
from crossfade.testing.registry_server import PASSWORD, USER, missing, registry_server


def _why_not(folder):
    try:
        running.check_usable(folder)
    except Unavailable as error:
        return str(error)
    return "" if bubblewrap.usable() else "needs bubblewrap"


@pytest.fixture
def run(crossfade, tmp_path):
    """Run a pipeline on a folder, and return what its steps told."""
    if why := _why_not(tmp_path / "probe"):
        pytest.skip(why)
    source = tmp_path / "app"
    source.mkdir()
    (source / "tool.sh").write_text('#!/bin/sh\necho "tool $A $B in $PWD: $*"\n')
    (source / "tool.sh").chmod(0o755)
    (source / "Dockerfile").write_text("""FROM host
COPY tool.sh /opt/tool/run
ENV A=image B=image PATH=/opt/tool:/usr/bin:/bin
WORKDIR /opt/tool
ENTRYPOINT ["/opt/tool/run"]
CMD ["by", "default"]
""")

    def go(steps, *more):
        file = tmp_path / "codefresh.yml"
        file.write_text(f"version: '1.0'\nsteps:\n{BUILD}{steps}")
        return crossfade("pipeline", "run", str(file), "--local-dir", str(source), *more)

    go.source = source
    return go


BUILD = "  make: {type: build, image_name: tool, tag: '1'}\n"


def test_commands_run_on_the_files_and_variables_of_the_image(run):
    ran = run("""  use:
    image: ${{make}}
    environment: [B=step]
    commands:
    - run one
    - cf_export FOUND=$A
    - touch /opt/tool/left /codefresh/volume/kept
    - ls /opt/tool
  again: {image: '${{make}}', commands: ['ls /opt/tool; ls /codefresh/volume; echo "is $FOUND"']}
""")

    assert ran.code == 0, ran.out
    assert "tool image step in /codefresh/volume/app: one" in ran.out
    assert ran.out.count("left") == 1  # what a step writes is its own, but for the workspace
    assert "again      | kept" in ran.out
    assert "is image" in ran.out


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "tool image image in /codefresh/volume/app: by default"),
        (", cmd: [a, b c]", "tool image image in /codefresh/volume/app: a b c"),
        (", working_directory: IMAGE_WORK_DIR", "tool image image in /opt/tool: by default"),
        (", entry_point: [/bin/echo, other], cmd: [x]", "other x"),
        (", entry_point: [/bin/echo, alone]", "alone"),
    ],
)
def test_without_commands_the_image_runs_as_docker_would_run_it(run, keys, said):
    ran = run(f"  use: {{image: '${{{{make}}}}'{keys}}}\n")

    assert ran.code == 0, ran.out
    assert f"use        | {said}\n" in ran.out


def test_an_image_has_only_its_own_files_when_it_builds_on_nothing(run, tmp_path):
    program = tmp_path / "hello.c"
    program.write_text('#include <stdio.h>\nint main(void) { puts("hello from nothing"); }\n')
    target = run.source / "hello"
    compiled = ["gcc", "-static", "-o", str(target), str(program)]
    try:
        subprocess.run(compiled, check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs a compiler")
    (run.source / "Dockerfile").write_text('FROM scratch\nCOPY hello /\nCMD ["/hello"]\n')

    ran = run("""  use: {image: '${{make}}'}
  odd: {image: '${{make}}', commands: [ls], fail_fast: false}
""")

    assert "use        | hello from nothing" in ran.out
    assert "the image has no sh to run `commands` with" in ran.out
    assert ran.code == 0


def test_a_step_is_ended_with_everything_that_it_started(run):
    ran = run("""  use:
    image: ${{make}}
    timeout: 1s
    commands: ['sleep 4242 & sleep 4243']
""")

    assert ran.code == 1
    assert "took longer than its timeout" in ran.out + ran.err
    listed = subprocess.run(["/bin/ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "sleep 424" not in listed.stdout


def test_others_may_take_the_name_of_an_image_that_a_step_runs_on(run):
    ran = run("""  other:
    type: build
    image_name: tool
    tag: '1'
    dockerfile: {content: "FROM host\\nENV A=other\\n"}
  use: {image: '${{make}}', commands: ['echo "it is $A"']}
""")

    assert "it is image" in ran.out


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_an_image_in_a_known_registry_is_fetched_with_its_password(
    run, crossfade, tmp_path, monkeypatch
):
    (tmp_path / "registry").mkdir()
    with registry_server(tmp_path / "registry", login=True) as address:
        monkeypatch.setenv("CROSSFADE_SECRET_REGISTRY_PROD", PASSWORD)
        crossfade("image", "registry", "add", "prod", address, "--username", USER)
        run("")
        crossfade("image", "rm", "tool:1", f"{address}/tool:1")

        ran = run(
            f"""  use:
    image: {address}/tool:1
    registry_context: prod
    commands: ['run fetched', 'env']
""".replace(BUILD, "")
        )

    assert "tool image image in /codefresh/volume/app: fetched" in ran.out
    assert PASSWORD not in ran.out


def test_folders_of_the_workspace_are_seen_where_the_step_wants_them(run):
    ran = run("""  put: {image: alpine, commands: ['mkdir -p $CF_VOLUME_PATH/cache', 'echo kept > $CF_VOLUME_PATH/cache/a']}
  use: {image: '${{make}}', volumes: ['./cache:/var/cache/tool'], commands: ['cat /var/cache/tool/a', 'touch /var/cache/tool/b']}
  see: {image: alpine, volumes: ['cache:/seen'], commands: ['ls /seen']}
  out: {image: alpine, commands: ['ln -s / $CF_VOLUME_PATH/link']}
  link: {image: alpine, volumes: ['link:/out'], commands: ['true'], fail_fast: false}
  odd: {image: alpine, volumes: ['../..:/out'], commands: ['true'], fail_fast: false}
""")  # fmt: skip

    assert "use        | kept" in ran.out
    assert "see        | b" in ran.out
    assert "volumes: ../.. is not below " in ran.out
    assert "link is a link that leads out of the workspace" in ran.out


def test_an_image_that_is_pruned_while_nobody_runs_on_it_leaves_nothing(run, crossfade, tmp_path):
    run("  use: {image: '${{make}}'}\n")
    roots = tmp_path / "state/images/roots"
    assert len(list(roots.iterdir())) == 2

    crossfade("image", "rm", "tool:1")
    crossfade("image", "prune")

    assert list(roots.iterdir()) == []


def test_without_bubblewrap_it_is_said_what_is_missing(tmp_path):
    code = """if True:
    import asyncio, sys
    from pathlib import Path
    from crossfade.adapters.runners.process import ProcessRunner
    from crossfade.core.pipeline.work import Inside
    from crossfade.ports.runner import Order, RunId
    async def go():
        runner = ProcessRunner(Path(sys.argv[1]), isolated=False)
        run = RunId("1", 0, "s", 1)
        await runner.start(Order(run, "true", image="tool:1", inside=Inside()))
        print([each.data.decode() async for each in runner.output(run)])
        print(await runner.look(run))
    asyncio.run(go())
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    assert "a built image needs bubblewrap" in done.stdout
    assert "FAILED" in done.stdout
