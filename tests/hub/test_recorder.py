"""hub.recorder: a subscriber that keeps the last packets of its session."""

from __future__ import annotations

from uuid import UUID

from tests.hub.bursts import burst, sequences, subscriber
from tests.hub.clock import Clock
from wintun_api.hub.burst import Form
from wintun_api.hub.fanout import Fanout
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.recorder import Recorder

ADAPTER = UUID(int=7)
LATER = 1 << 62


def recording(clock: Clock | None = None) -> tuple[Fanout, Recorder]:
    """A recorder of ten seconds, and what offers it packets."""
    recorder = Recorder("5f0c9d1e2b3a", ADAPTER, 10, 1 << 20, loop=clock or Clock())
    fanout = Fanout()
    fanout.add(recorder.subscriber)
    return fanout, recorder


def kept(recorder: Recorder) -> list[int]:
    """The numbers of the packets that it has."""
    return sequences([one for one, _ in recorder.read(0, LATER).entries])


def test_it_takes_each_burst_at_once() -> None:
    """Nothing ever waits in its queue, and both directions are kept in their order."""
    fanout, recorder = recording()
    fanout.publish(burst(0, 3))
    fanout.publish(burst(0, 2, injected=True))
    fanout.publish(burst(3, 1))
    assert kept(recorder) == [0, 1, 2, 0, 1, 3]
    queue = recorder.subscriber
    assert (queue.queued_packets, queue.lost, queue.delivered_packets) == (0, 0, 6)
    assert recorder.view().recorded == 6


def test_losses_are_kept_before_the_next_burst() -> None:
    """What was lost between two bursts is one entry per cause and direction."""
    fanout, recorder = recording()
    fanout.publish(burst(0, 1))
    for first in range(1, 100):
        fanout.lose(Loss(1, first, first, injected=False, cause=Cause.RING))
    fanout.publish(burst(100, 1))
    fanout.publish(burst(101, 1))
    assert [list(losses) for _, losses in recorder.read(0, LATER).entries] == [
        [],
        [Loss(99, 1, 99, injected=False, cause=Cause.RING)],
        [],
    ]


def test_losses_after_the_last_burst() -> None:
    """They belong to what is read up to its end, and to nothing that ends before."""
    fanout, recorder = recording()
    fanout.publish(burst(0, 1))
    loss = Loss(5, 1, 5, injected=False, cause=Cause.RING)
    fanout.lose(loss)
    assert list(recorder.read(0, LATER).losses) == [loss]
    assert list(recorder.read(0, LATER).losses) == [loss]
    assert list(recorder.read(-2, -1).losses) == []


def test_the_view_drops_what_is_too_old() -> None:
    """What it says that it has is what a reader gets."""
    clock = Clock()
    fanout, recorder = recording(clock)
    fanout.publish(burst(0, 3))
    clock.now += 10
    view = recorder.view()
    assert (view.packets, view.used, view.expired, view.oldest_ns) == (0, 0, 3, None)


def test_the_end_of_the_session() -> None:
    """What it has at the end stays, and counts only with what it uses."""
    clock = Clock()
    fanout, recorder = recording(clock)
    fanout.publish(burst(0, 3))
    assert recorder.reserved == 1 << 20
    recorder.finish()
    clock.move(1000)
    assert kept(recorder) == [0, 1, 2]
    assert recorder.reserved == recorder.view().used < 2000
    recorder.clear()
    assert recorder.reserved == 0


def test_a_reader_beside_it_is_offered_the_same_bursts() -> None:
    """A recorder changes nothing for the clients of its session."""
    fanout, recorder = recording()
    other = Recorder("other", ADAPTER, 10, 1 << 20, loop=Clock())
    fanout.add(other.subscriber)
    one = burst(0, 3)
    fanout.publish(one)
    ((first, _),), ((second, _),) = (each.read(0, LATER).entries for each in (recorder, other))
    assert first is second is one


def test_it_does_not_keep_what_a_reader_made_of_a_burst() -> None:
    """The frames of a single client are freed as soon as they are sent, as without a recorder."""
    fanout, recorder = recording()
    reader = subscriber()
    fanout.add(reader)
    fanout.publish(burst(0, 3))
    (taken,) = reader.take(10**6)
    assert taken.form(Form.BATCH_FRAME, lambda _: b"a frame") == b"a frame"
    assert taken.form(Form.BATCH_FRAME, lambda _: b"another") == b"another"
    assert kept(recorder) == [0, 1, 2]
