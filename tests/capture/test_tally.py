"""capture.tally: the end of a file that breaks off."""

from __future__ import annotations

from pathlib import Path

from tests.capture import tshark
from tests.capture.samples import LENGTHS, PACKETS, TIME, interface_statistics
from wintun_api.capture import pcapng
from wintun_api.capture.tally import Tally


def packets(interface: int, dropped: int = 0) -> bytes:
    """Return blocks of packets of all lengths, the first after a loss."""
    return pcapng.packets(
        PACKETS, LENGTHS, TIME, injected=False, interface=interface, dropped=dropped
    )


@tshark.needs_tshark
def test_each_interface_is_ended_once(tmp_path: Path) -> None:
    """The statistics say what it has and lost; one that has ended already gets no others."""
    begun = [pcapng.section(os="Linux", application="test")]
    begun += [pcapng.interface(name) for name in "ABC"]
    ended = pcapng.statistics(start_ns=1, end_ns=2, received=14, dropped=0, interface=1)
    pieces = [*begun, packets(0, 3), packets(1), ended, packets(0), packets(2, 5)]
    tally = Tally()
    for piece in (b"".join(pieces[:5]), *pieces[5:]):
        tally.note(piece)
    file = b"".join(pieces) + tally.end()
    assert interface_statistics(file) == {0: (31, 3), 1: (14, 0), 2: (19, 5)}
    path = tmp_path / "ended.pcapng"
    path.write_bytes(file)
    assert len(tshark.read(path)) == 4 * 14


def test_nothing_has_no_end() -> None:
    """A file without an interface needs no statistics."""
    assert Tally().end() == b""
