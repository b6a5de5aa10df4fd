"""Nobody waits in vain for work that no hub does."""

import pytest

from crossfade.cli.hub_note import note_if_no_hub


class Opened:
    def __init__(self, holder):
        self.holder = holder

    async def hub(self):
        return self.holder


@pytest.mark.parametrize(("holder", "told"), [(None, True), ("here/1/1", False)])
async def test_only_a_store_without_a_hub_is_worth_a_note(capsys, holder, told):
    await note_if_no_hub(Opened(holder))
    printed = capsys.readouterr()

    assert printed.out == ""
    assert ("`crossfade up` starts one" in printed.err) is told
