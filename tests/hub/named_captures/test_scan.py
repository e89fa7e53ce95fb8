"""hub.named_captures.scan: what the blocks of a file say of packets and of losses."""

from __future__ import annotations

from uuid import UUID

from tests.hub.bursts import burst
from wintun_api.capture import pcapng
from wintun_api.hub.capture.file import PcapngFile
from wintun_api.hub.capture.source import Source
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.named_captures.scan import EARLIER, REFUSED, Counts, Scan

SOURCE = Source("session", UUID("11111111-2222-3333-4444-555555555555"), "A")


def scan(blocks: bytes) -> Scan:
    """Scan blocks, all of which are whole."""
    found = Scan()
    assert found.add(blocks) == len(blocks)
    return found


def test_each_loss_counts_once() -> None:
    """The statistics repeat what packets say, and add what was lost after the last one."""
    file = PcapngFile()
    blocks = file.begin(EARLIER.format(50, 30, 20))
    before = [Loss(4, 1, 4, False, Cause.QUEUE), Loss(2, 5, 6, False, Cause.RING)]
    blocks += file.add(SOURCE, burst(0, 2), before)
    assert scan(blocks).counts == Counts(52, 36, 24)
    blocks += file.lose(SOURCE, [Loss(7, 9, 15, False, Cause.ENDED)])
    assert scan(blocks).counts == Counts(52, 36, 24)
    assert scan(blocks + file.end()).counts == Counts(52, 43, 31)


def test_what_the_disk_refused() -> None:
    """Statistics that were added to a file say that the disk did not take the rest."""
    file = PcapngFile()
    blocks = file.begin() + file.add(SOURCE, burst(0, 1))
    assert not scan(blocks + file.end()).refused
    blocks += pcapng.statistics(
        start_ns=1, end_ns=2, received=6, dropped=5, comment=REFUSED.format(5)
    )
    found = scan(blocks)
    assert found.refused
    assert found.counts == Counts(1, 5, 5)
