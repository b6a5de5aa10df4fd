"""What is kept of what a step prints."""

from crossfade.adapters.runners.log_files import LogFiles
from crossfade.engine.pipelines.step_log import CUT, follow
from crossfade.ports.runner import Order, Output, RunId

RUN = RunId("1", 0, "step", 1)


class Printing:
    """A runner whose run prints these pieces."""

    def __init__(self, *pieces: Output) -> None:
        self.pieces = pieces

    async def output(self, run):
        for piece in self.pieces:
            yield piece


async def log(tmp_path, *pieces: Output, secrets=(), most=1000) -> tuple[str, str]:
    logs, shown = LogFiles(tmp_path), []
    order = Order(RUN, "", secrets=secrets)
    await follow(Printing(*pieces), logs, order, shown.append, most)
    return logs.read(RUN)[0], "".join(shown)


async def test_what_is_shown_is_what_is_kept_and_letters_may_come_in_halves(tmp_path):
    halves = "für\n".encode()

    kept, shown = await log(tmp_path, Output(halves[:2]), Output(halves[2:]))

    assert kept == shown == "für\n"


async def test_a_secret_in_two_pieces_is_in_no_log(tmp_path):
    kept, shown = await log(tmp_path, Output(b"a sec"), Output(b"ret b\n"), secrets=("secret",))

    assert kept == shown == "a *** b\n"


async def test_a_line_is_shown_before_a_long_pause_and_not_only_after_it(tmp_path):
    logs, shown = LogFiles(tmp_path), []

    class Pausing:
        async def output(self, _):
            yield Output(b"half of users\n")
            yield Output(b"")
            assert shown[-1].endswith("\n"), shown

    await follow(Pausing(), logs, Order(RUN, "", secrets=("a secret",)), shown.append)

    assert "".join(shown) == "half of users\n"


async def test_a_pause_shows_nothing_of_a_secret_that_is_under_way(tmp_path):
    pieces = [Output(b"an open sec"), Output(b""), Output(b"ret\nopen-s\n"), Output(b"")]
    kept, _ = await log(tmp_path, *pieces, Output(b"esame\n"), secrets=("secret", "open-sesame"))

    assert kept == "an open ***\n***\n"


async def test_a_value_that_the_step_itself_masks_is_masked_at_once(tmp_path):
    kept, _ = await log(tmp_path, Output(b"tok-1 "), Output(b"tok-1", ("tok-1",)))

    assert kept == "tok-1 ***"


async def test_a_log_that_is_too_long_is_cut_once_and_says_so(tmp_path):
    kept, _ = await log(tmp_path, *[Output(b"x" * 30)] * 10, most=100)

    assert kept == "x" * 100 + CUT


async def test_a_follower_that_comes_later_writes_the_whole_log_again(tmp_path):
    await log(tmp_path, Output(b"begin"))

    assert (await log(tmp_path, Output(b"begin and end")))[0] == "begin and end"
