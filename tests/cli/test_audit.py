"""`crossfade audit`: who has done what, also of what was done without a hub."""

import sqlite3

FILE = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: "oci://registry.example.com/charts/colors", version: 1.0.0}
"""


def applied(crossfade, tmp_path):
    (tmp_path / "a.yaml").write_text(FILE)
    assert crossfade("apply", "-f", str(tmp_path / "a.yaml")).code == 0


def test_a_command_of_this_machine_is_in_the_log(crossfade, tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    assert "nobody has done anything" in crossfade("audit", "list").out
    applied(crossfade, tmp_path)
    entry = crossfade("audit", "list", "-o", "json").data["entries"][0]

    assert (entry["who"], entry["via"]) == ("ann", "cli")
    assert entry["what"] == ["application/colors: created"]
    assert "ann" in crossfade("audit", "list").out
    assert crossfade("audit", "verify", "-o", "json").data == {"entries": 1, "whole": True}


def test_a_log_that_was_changed_in_the_store_is_found_out(crossfade, tmp_path):
    applied(crossfade, tmp_path)
    with sqlite3.connect(tmp_path / "state" / "crossfade.db") as store:
        store.execute(
            "update events set facts = replace(facts, 'created', 'deleted') "
            "where subject = 'audit/log'"
        )
    store.close()
    ran = crossfade("audit", "verify")

    assert ran.code == 5
    assert "entry 1 was changed" in ran.err
