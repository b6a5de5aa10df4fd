"""Names are plain text for everybody else, so that they can be stored and sent."""

import json

from crossfade.base.ids import NO_EPOCH, ApplicationName, ClusterName, Epoch, RevisionId


def test_names_are_plain_json():
    names = [ApplicationName("colors"), ClusterName("aws"), RevisionId("r1"), Epoch(3)]

    assert json.loads(json.dumps(names)) == ["colors", "aws", "r1", 3]


def test_the_first_change_is_newer_than_none():
    assert Epoch(1) > NO_EPOCH
