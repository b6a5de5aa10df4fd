"""Back-off: a container that keeps failing is left alone for longer and longer."""

from crossfade.sandbox.kube.kubelet.back_off import BackOff


def test_pauses_double_up_to_the_most():
    pauses = BackOff(1.0, 300.0)
    assert [pauses.next(0.1) for _ in range(12)] == [
        0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300,
    ]  # fmt: skip


def test_a_long_run_without_trouble_is_rewarded():
    pauses = BackOff(10.0, 300.0)
    for _ in range(5):
        pauses.next(1)
    assert pauses.next(601) == 0
    assert pauses.next(1) == 10
