"""Files that are written whole: some are keys."""

from pathlib import Path

import pytest

from crossfade.base.files import write_json, write_text


def test_only_the_owner_reads_what_is_written(tmp_path):
    write_text(tmp_path / "key", "secret")
    write_json(tmp_path / "keys", {})

    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}


def test_a_file_that_others_could_read_is_not_so_any_more(tmp_path):
    (tmp_path / "key").write_text("old")
    (tmp_path / "key").chmod(0o644)
    write_text(tmp_path / "key", "new")

    assert (tmp_path / "key").read_text() == "new"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_no_half_of_a_key(tmp_path):
    (tmp_path / "key").write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "key", "half of a key \ud800")
    assert [each.name for each in tmp_path.iterdir()] == ["key"]
    assert (tmp_path / "key").read_text() == "old"


def test_a_link_that_somebody_has_put_there_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "theirs").write_text("")
    Path(tmp_path / "key").symlink_to(tmp_path / "theirs")
    write_text(tmp_path / "key", "secret")

    assert (tmp_path / "theirs").read_text() == ""
