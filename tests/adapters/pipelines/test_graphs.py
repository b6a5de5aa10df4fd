"""What is said of a file that no build can be made of."""

import pytest

from crossfade.adapters.pipelines.graphs import read_graph
from crossfade.base.errors import InputError


def test_what_is_wrong_with_the_file_as_a_whole_names_no_key():
    with pytest.raises(InputError) as caught:
        read_graph("42", "", "p.yml", with_clone=False)

    assert caught.value.what.startswith("p.yml:1:1: 42 is not allowed")
