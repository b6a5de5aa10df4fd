"""Documents of images are the same bytes for the same content."""

import json

from crossfade.core.image.documents import (
    CONFIG,
    LAYER,
    NAME,
    Descriptor,
    ImageConfig,
    Layer,
    canonical,
    config_document,
    described,
    index_document,
    manifest_document,
    read_config,
)

BLOB = Descriptor(LAYER, "sha256:" + "1" * 64, 10)
ONE = Layer(BLOB, "sha256:" + "2" * 64, "COPY a /a")


def test_the_same_image_has_the_same_digest_whatever_the_order_it_was_said_in():
    first = config_document(
        ImageConfig(labels={"a": "1", "b": "2"}), [ONE], ("linux", "amd64"), "t"
    )
    second = config_document(
        ImageConfig(labels={"b": "2", "a": "1"}), [ONE], ("linux", "amd64"), "t"
    )

    assert described(CONFIG, canonical(first)) == described(CONFIG, canonical(second))


def test_a_configuration_says_how_to_run_it_and_what_its_files_are():
    config = ImageConfig({"A": "é"}, ("e",), ("c",), ports=("80/tcp",), health=("NONE",))
    found = json.loads(canonical(config_document(config, [ONE], ("linux", "arm64"), "1970")))

    assert found["config"] == {
        "Env": ["A=é"],
        "Entrypoint": ["e"],
        "Cmd": ["c"],
        "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["NONE"]},
    }
    assert found["rootfs"] == {"type": "layers", "diff_ids": [ONE.diff_id]}
    assert found["history"] == [{"created": "1970", "created_by": "COPY a /a"}]
    assert (found["os"], found["architecture"]) == ("linux", "arm64")


def test_manifest_and_index_lead_to_what_they_name():
    manifest = json.loads(canonical(manifest_document(described(CONFIG, b"{}"), [ONE])))
    index = json.loads(canonical(index_document({"b:1": BLOB, "a:1": BLOB})))

    assert [each["digest"] for each in manifest["layers"]] == [BLOB.digest]
    assert manifest["config"]["size"] == 2
    assert [each["annotations"][NAME] for each in index["manifests"]] == ["a:1", "b:1"]


def test_an_image_that_is_read_back_runs_as_it_was_built():
    config = ImageConfig(
        {"A": "a=b"}, ("e",), ("c",), "5:6", "/w", {"l": "1"}, ("80/tcp",), ("/v",), "SIGINT",
        ("/bin/bash",), ("CMD", "x"), {"Retries": 3}, "Ann",
    )  # fmt: skip
    document = json.loads(canonical(config_document(config, [ONE], ("linux", "amd64"), "t")))

    assert read_config(document) == config
    assert read_config({"config": None}) == ImageConfig()
