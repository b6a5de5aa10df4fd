"""Layers are the same bytes for the same files, and never write outside of their folder."""

import contextlib
import gzip
import hashlib
import io
import os
import tarfile

import pytest

from crossfade.adapters.images.layers import Item, Owner, pack, unpack
from crossfade.base.errors import InputError, Unavailable


def tree(folder):
    """Return the items of a folder."""
    return [Item(each, str(each.relative_to(folder))) for each in folder.rglob("*")]


def packed(items, **more):
    target = io.BytesIO()
    pack(items, target, **more)
    return target.getvalue()


def layer(path, *entries):
    """Write an archive of (name, content or a kind and a link's target)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            else:
                entry.type, entry.linkname, entry.mode = (*content, 0o755)
                archive.addfile(entry)
    return path


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    (folder / "app").mkdir(parents=True)
    (folder / "app/run").write_text("#!/bin/sh\n")
    (folder / "app/run").chmod(0o755)
    (folder / "app/link").symlink_to("/etc/passwd")
    (folder / "a").write_text("a")
    return folder


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_the_same_files_make_the_same_bytes_whenever_they_were_made(files):
    first = packed(tree(files))
    os.utime(files / "a", (1, 1))
    second = packed(reversed(tree(files)))

    assert first == second
    assert hashlib.sha256(packed(tree(files), time=5)).digest() != hashlib.sha256(first).digest()


def test_what_is_packed_comes_out_again(files, root, tmp_path):
    (tmp_path / "layer").write_bytes(packed(tree(files)))
    unpack(tmp_path / "layer", root)

    assert (root / "app/run").read_text() == "#!/bin/sh\n"
    assert os.access(root / "app/run", os.X_OK)
    assert os.readlink(root / "app/link") == "/etc/passwd"


def test_owner_and_mode_can_be_given(files):
    data = gzip.decompress(packed([Item(files / "a", "b", Owner(65532, 7), 0o400)]))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        (entry,) = archive.getmembers()

    assert (entry.name, entry.uid, entry.gid, entry.mode, entry.mtime) == ("b", 65532, 7, 0o400, 0)


def test_a_socket_is_refused_with_its_name(files):
    os.mkfifo(files / "pipe")
    with pytest.raises(InputError, match="only files, folders and links") as caught:
        packed(tree(files))
    assert caught.value.facts["file"].endswith("pipe")


def test_a_later_layer_removes_and_replaces(root, tmp_path):
    below = layer(tmp_path / "1", ("d/old", b"1"), ("d/kept", b"1"), ("gone/x", b"1"), ("f", b"1"))
    above = layer(
        tmp_path / "2",
        ("d/.wh.old", b""),
        (".wh.gone", b""),
        ("f", (tarfile.DIRTYPE, "")),
        ("f/now", b"a folder"),
    )
    unpack(below, root)
    unpack(above, root)

    assert sorted(str(each.relative_to(root)) for each in root.rglob("*")) == [
        "d",
        "d/kept",
        "f",
        "f/now",
    ]


def test_an_opaque_folder_hides_what_was_below_and_nothing_of_its_own_layer(root, tmp_path):
    unpack(layer(tmp_path / "1", ("d/old", b"1"), ("d/sub/old", b"1")), root)
    unpack(layer(tmp_path / "2", ("d/new", b"2"), ("d/.wh..wh..opq", b"")), root)

    assert [each.name for each in (root / "d").iterdir()] == ["new"]


@pytest.mark.parametrize(
    "entries",
    [
        [("../out", b"x")],
        [("a/../../out", b"x")],
        [("d/.wh...", b"")],
        [("hard", (tarfile.LNKTYPE, "../out"))],
        [("hard", (tarfile.LNKTYPE, "/no/such/file"))],
        [("l", (tarfile.SYMTYPE, "/etc/passwd")), ("hard", (tarfile.LNKTYPE, "l"))],
        [("a", (tarfile.SYMTYPE, "b")), ("b", (tarfile.SYMTYPE, "a")), ("a/x", b"x")],
        [("device", (tarfile.CHRTYPE, ""))],
        [("pipe", (tarfile.FIFOTYPE, ""))],
    ],
)
def test_an_archive_that_means_harm_is_refused(root, tmp_path, entries):
    (tmp_path / "out").write_text("untouched")
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(layer(tmp_path / "layer", *entries), root)
    assert (tmp_path / "out").read_text() == "untouched"


@pytest.mark.parametrize("absolute", [True, False])
def test_links_are_followed_within_the_image(root, tmp_path, absolute):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = str(outside) if absolute else "../../outside"
    below = layer(tmp_path / "1", ("d/evil", (tarfile.SYMTYPE, link)))
    unpack(below, root)
    unpack(layer(tmp_path / "2", ("d/evil/file", b"x")), root)

    assert list(outside.iterdir()) == []
    assert [each.read_text() for each in root.rglob("file")] == ["x"]


def test_a_file_in_place_of_a_link_does_not_write_through_it(root, tmp_path):
    (tmp_path / "out").write_text("untouched")
    link = (tarfile.SYMTYPE, str(tmp_path / "out"))
    unpack(layer(tmp_path / "1", ("f", link), ("f", b"new")), root)

    assert (tmp_path / "out").read_text() == "untouched"
    assert (root / "f").read_text() == "new"


def test_no_program_of_an_image_runs_as_who_unpacked_it(root, tmp_path):
    with tarfile.open(tmp_path / "layer", "w") as archive:
        entry = tarfile.TarInfo("su")
        entry.mode = 0o6755
        archive.addfile(entry, io.BytesIO())
    unpack(tmp_path / "layer", root)

    assert (root / "su").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x1f\x8b broken"])
def test_what_is_no_archive_is_refused(root, tmp_path, data):
    (tmp_path / "layer").write_bytes(data)
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(tmp_path / "layer", root)


@pytest.mark.parametrize("at", range(0, 200, 5))
def test_a_damaged_layer_is_refused_if_it_is_noticed_and_never_ends_in_another_error(
    files, root, tmp_path, at
):
    """The store compares digests; this is for damage on the disk afterwards."""
    data = bytearray(packed([Item(files / "app/run", "run")]))
    data[at % len(data)] ^= 0xFF
    (tmp_path / "layer").write_bytes(data)
    with contextlib.suppress(InputError):
        unpack(tmp_path / "layer", root)


def test_a_layer_that_was_cut_off_is_refused(files, root, tmp_path):
    data = packed([Item(files / "app/run", "run")])
    (tmp_path / "layer").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(tmp_path / "layer", root)


def test_a_file_that_is_gone_says_which_one(tmp_path):
    with pytest.raises(Unavailable, match="cannot be packed") as caught:
        packed([Item(tmp_path / "gone", "gone")])
    assert caught.value.facts["file"].endswith("gone")
