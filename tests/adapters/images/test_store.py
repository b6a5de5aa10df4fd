"""Images are kept whole or not at all, and until nobody needs them."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from crossfade.adapters.images.store import ImageStore, Pruned
from crossfade.base.errors import Conflict, NotFound, Unavailable
from crossfade.core.image.documents import (
    CONFIG,
    LAYER,
    MANIFEST,
    Descriptor,
    Layer,
    canonical,
    manifest_document,
)
from crossfade.core.image.reference import reference


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "images")


def blobs(store):
    return sorted(each.name for each in store.path("x").parent.iterdir())


def built(store, content=b"files"):
    """Return an image of one layer; it has no name yet."""
    layer, size = store.put([content])
    config, config_size = store.put([canonical({"of": content.decode()})])
    blob = Descriptor(LAYER, layer, size)
    document = manifest_document(Descriptor(CONFIG, config, config_size), [Layer(blob, layer, "")])
    digest, size = store.put([canonical(document)])
    return Descriptor(MANIFEST, digest, size)


def test_the_same_content_is_kept_once(store):
    assert store.put([b"a", b"b"]) == store.put([b"ab"])
    assert len(blobs(store)) == 1


def test_content_that_is_not_what_was_announced_is_not_kept(store, tmp_path):
    with pytest.raises(Unavailable, match="otherwise than it was announced"):
        store.put([b"other"], "sha256:" + "0" * 64)

    assert blobs(store) == []
    assert list((tmp_path / "images/incoming").iterdir()) == []


def test_content_whose_source_breaks_off_is_not_kept(store, tmp_path):
    def broken():
        yield b"first"
        raise ConnectionError("cut")

    with pytest.raises((ConnectionError, Unavailable)):
        store.put(broken())

    assert blobs(store) == []
    assert list((tmp_path / "images/incoming").iterdir()) == []


def test_an_image_is_found_by_its_names_and_by_its_digest(store):
    image = built(store)
    store.name(image, [reference("colors:1"), reference("r.example.com/colors:1")])

    assert store.find(reference("colors:1")) == image
    assert store.find(reference(f"whatever@{image.digest}")) == image
    assert store.find(reference("colors:2")) is None
    assert list(store.images()) == ["colors:1", "r.example.com/colors:1"]


def test_a_name_goes_over_to_the_newer_image(store):
    old, new = built(store, b"old"), built(store, b"new")
    store.name(old, [reference("colors")])
    store.name(new, [reference("colors")])

    assert store.images() == {"colors:latest": new}


def test_what_is_pruned_is_only_what_no_image_needs(store):
    kept, gone = built(store, b"kept"), built(store, b"gone")
    store.name(kept, [reference("kept")])
    store.name(gone, [reference("gone")])
    assert store.prune() == Pruned(0, 0)

    store.remove(reference("gone"))
    pruned = store.prune()

    assert pruned.blobs == 3
    assert store.has(kept.digest)
    assert not store.has(gone.digest)
    assert len(blobs(store)) == 3


def test_a_layer_that_two_images_share_outlives_one_of_them(store):
    first, second = built(store, b"same"), built(store, b"same")
    store.name(first, [reference("a")])
    store.name(second, [reference("b")])
    store.remove(reference("a"))

    assert store.prune() == Pruned(0, 0)


def test_nothing_is_pruned_while_an_image_is_being_made(store):
    with store.adding():
        image = built(store)
        with pytest.raises(Conflict, match="being built"):
            ImageStore(store.path("x").parent.parent.parent).prune()
        store.name(image, [reference("a")])

    assert store.prune() == Pruned(0, 0)


def test_a_process_that_is_killed_half_way_leaves_nothing_that_stays(store, tmp_path):
    program = (
        "import sys, pathlib\n"
        "from crossfade.adapters.images.store import ImageStore\n"
        "store = ImageStore(pathlib.Path(sys.argv[1]))\n"
        "def pieces():\n"
        "    yield b'half' * 100000\n"
        "    print('now', flush=True)\n"
        "    sys.stdin.read()\n"
        "with store.adding():\n"
        "    store.put([b'whole'])\n"
        "    store.put(pieces())\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "images")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"now\n"
    with pytest.raises(Conflict):
        store.prune()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()

    assert store.prune().blobs == 2  # the whole one has no name, the other one is half
    assert list((tmp_path / "images/incoming").iterdir()) == []


def test_a_damaged_document_is_told_and_not_believed(store):
    image = built(store)
    store.path(image.digest).write_bytes(b"{}")

    with pytest.raises(Unavailable, match="damaged"):
        store.document(image.digest)


def test_a_name_that_is_not_there_cannot_be_removed(store):
    store.name(built(store), [reference("colors:1")])

    with pytest.raises(NotFound, match="no image colors:2") as caught:
        store.remove(reference("colors:2"))
    assert "colors:1" in caught.value.hint


def test_an_empty_store_has_no_images(store):
    assert store.images() == {}
    assert store.prune() == Pruned(0, 0)


def test_other_tools_can_read_the_folder(store, tmp_path):
    store.name(built(store), [reference("colors:1")])
    layout = json.loads((tmp_path / "images/oci-layout").read_bytes())
    index = json.loads((tmp_path / "images/index.json").read_bytes())

    assert layout == {"imageLayoutVersion": "1.0.0"}
    assert index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] == "colors:1"


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"manifests": [1]}', '{"manifests": 1}'])
def test_with_an_index_that_cannot_be_read_nothing_is_pruned(store, tmp_path, text):
    store.name(built(store), [reference("a")])
    (tmp_path / "images/index.json").write_text(text)

    with pytest.raises(Unavailable, match="index of images") as caught:
        store.images()
    assert "index.json" in caught.value.facts["file"]
    with pytest.raises(Unavailable):
        store.prune()
    assert len(blobs(store)) == 3


def test_images_are_named_side_by_side_while_others_are_pruned(store, tmp_path):
    program = (
        "import sys, pathlib\n"
        "from crossfade.adapters.images.store import ImageStore\n"
        "from crossfade.core.image.documents import Descriptor, MANIFEST\n"
        "from crossfade.core.image.reference import reference\n"
        "store = ImageStore(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    with store.adding():\n"
        '        content = b\'{"n": "%s-%d"}\' % (sys.argv[2].encode(), n)\n'
        "        image = Descriptor(MANIFEST, *store.put([content]))\n"
        "        store.name(image, [reference(f'{sys.argv[2]}:{n}')])\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "images"), name])
        for name in ("a", "b")
    ]
    while any(child.poll() is None for child in children):
        with contextlib.suppress(Conflict):
            store.prune()

    assert [child.returncode for child in children] == [0, 0]
    assert len(store.images()) == 40
    assert all(store.has(image.digest) for image in store.images().values())
