"""The post-renderer, as helm runs it."""

import json
import resource
import subprocess
import sys
from pathlib import Path

from crossfade.adapters.helm import manifest_text, postrender

HELM = Path(sys.executable).parent / "helm"


def rendered(folder: Path, *templates: str) -> subprocess.CompletedProcess[str]:
    """Return what helm makes of a chart with these templates."""
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    for index, text in enumerate(templates):
        (folder / "templates" / f"{index}.yaml").write_text(text)
    command = [HELM, "template", "colors-r1234567", folder]
    command += postrender.beside("colors", "r1234567")
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_objects_come_out_as_the_revisions_own(tmp_path):
    config = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1e3', b: 'y'}\n"
    )
    ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x}\n"
    done = rendered(tmp_path, config, ingress)
    assert done.returncode == 0, done.stderr
    (got,) = manifest_text.read(done.stdout)
    assert got["metadata"]["name"] == "colors-r1234567-settings"
    assert got["metadata"]["labels"]["crossfade.dev/revision"] == "r1234567"
    assert got["data"] == {"a": "1e3", "b": "y"}


def test_what_is_refused_is_told_in_helms_error_without_a_traceback(tmp_path):
    done = rendered(tmp_path, "apiVersion: v1\nkind: Namespace\nmetadata: {name: own}\n")
    assert done.returncode != 0
    assert "crossfade: the chart cannot run beside other revisions" in done.stderr
    assert "crossfade-hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_it_needs_neither_an_installed_package_nor_the_callers_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    (tmp_path / "yaml.py").write_text("raise SystemExit('the wrong module')")
    (tmp_path / "chart").mkdir()
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
    assert rendered(tmp_path / "chart", config).returncode == 0


def test_it_knows_nothing_of_applications_which_would_take_longer_to_import_than_all_its_work():
    names = "[each for each in sys.modules if each.startswith('crossfade.core.')]"
    code = f"import sys; import crossfade.adapters.helm.postrender; print(*{names})"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()

    assert done
    assert all(each.startswith("crossfade.core.release") for each in done)


def test_it_starts_fast_since_every_install_waits_for_it():
    arguments = [
        flag.removeprefix("--post-renderer-args=")
        for flag in postrender.beside("colors", "r1234567")[2:]
    ]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    best = 9.0
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments], input=json.dumps(config), check=True, text=True,
            capture_output=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert best < 0.3, "it took 0.06 s of a processor when it was written"
