"""Messages of captures: each can be read alone, and what no agent writes is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture import capinfos, tshark
from tests.fleet.excerpts import SESSION, START, blocks, message, numbers_of, packet
from wintun_api.capture import pcapng
from wintun_api.fleet.captures.excerpt import Position, begin, excerpt_of
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.limits import MAX_PACKET


def test_a_message_says_where_it_belongs() -> None:
    """Packets, the adapter, and the numbers come back as they were written."""
    found = excerpt_of(message(blocks(1, 2, dropped=3), passed=10, number=4, adapter="Ä b"))
    assert found is not None
    assert (found.position.passed, found.position.message, found.passed) == (10, 4, 15)
    assert found.adapter == "Ä b"
    assert numbers_of([one.data for one in found.packets]) == [1, 2]


def test_a_message_without_packets_is_one() -> None:
    """It says how many packets came before."""
    found = excerpt_of(message(passed=7))
    assert found is not None
    assert (found.packets, found.passed) == ([], 7)


@tshark.needs_tshark
def test_a_message_is_a_file_of_its_own(tmp_path: Path) -> None:
    """Wireshark reads one without those before it."""
    path = tmp_path / "one.pcapng"
    path.write_bytes(message(blocks(1, 2), number=5, passed=99))
    assert tshark.contents(path) == [packet(1), packet(2)]
    assert capinfos.info_of(path).first_ns == START


def test_what_stands_before_the_packets_is_small() -> None:
    """A full message has less than half a percent of it."""
    adapter = f"adapter {'0' * 36}"
    told = message(
        name="a host",
        run="0" * 16,
        passed=10**9,
        description=f"{adapter}, session {SESSION}",
        comment=adapter,
    )
    assert len(told) < MAX_MESSAGE / 200


WHOLE = message(blocks(1))
PLACE = Position(name="one", run="r", message=0, passed=0)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(WHOLE[:-4], id="cut"),
        pytest.param(WHOLE + b"\x00\x00\x00\x00\x01", id="rest"),
        pytest.param(blocks(1), id="no section"),
        pytest.param(begin(PLACE) + blocks(1), id="no interface"),
        pytest.param(begin(PLACE), id="nothing more"),
        pytest.param(pcapng.section(os="", application="") + pcapng.interface("A"), id="no place"),
        pytest.param(
            pcapng.section(os="", application="", comment="[" * 9000) + pcapng.interface("A"),
            id="deep",
        ),
        pytest.param(WHOLE.replace(b'"passed":0', b'"passed":-'), id="not JSON"),
        pytest.param(message(blocks(1, dropped=2**60)), id="many dropped"),
        pytest.param(message(blocks(1, original_lengths=[MAX_PACKET + 1])), id="long packet"),
        pytest.param(message(blocks(*range(4000))), id="long message"),
        pytest.param(b"\x1f\x8b" + WHOLE, id="gzip"),
    ],
)
def test_what_no_agent_writes_is_refused(data: bytes) -> None:
    """A stranger's bytes cause no exception, and are not taken for packets."""
    assert excerpt_of(data) is None


@pytest.mark.parametrize("place", range(0, len(WHOLE), 3))
def test_a_damaged_message_causes_no_exception(place: int) -> None:
    """Whatever byte was changed, it is a message or it is not."""
    damaged = bytearray(WHOLE)
    damaged[place] ^= 0xFF
    excerpt_of(bytes(damaged))
