"""Link layers: what stands before and behind an IP packet."""

from __future__ import annotations

import pytest

from wintun_api.capture import links
from wintun_api.capture.link_names import NAMES
from wintun_api.packet import build

PACKET = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1)
FRAMES = {
    "raw": (links.RAW, PACKET),
    "null": (links.NULL, b"\2\0\0\0" + PACKET),
    "ethernet": (links.ETHERNET, bytes(12) + b"\x08\0" + PACKET + bytes(18)),
    "vlan": (links.ETHERNET, bytes(12) + b"\x81\0\0\7\x08\0" + PACKET),
    "cooked": (links.COOKED, bytes(14) + b"\x08\0" + PACKET),
    "cooked 2": (links.COOKED_2, b"\x08\0" + bytes(18) + PACKET),
    "two tags": (links.ETHERNET, bytes(12) + b"\x91\0\0\7\x81\0\0\7\x08\0" + PACKET),
    "cooked vlan": (links.COOKED, bytes(14) + b"\x81\0\0\7\x08\0" + PACKET),
    "cooked 2 vlan": (links.COOKED_2, b"\x88\xa8" + bytes(18) + b"\0\7\x08\0" + PACKET),
    "loop": (links.LOOP, b"\0\0\0\2" + PACKET),
    "null of linux": (links.NULL, b"\x0a\0\0\0" + PACKET),
    "null of windows": (links.NULL, b"\x17\0\0\0" + PACKET),
    "null, big": (links.NULL, b"\0\0\0\x1e" + PACKET),
    "snap": (links.ETHERNET, bytes(12) + b"\0\x24\xaa\xaa\3\0\0\0\x08\0" + PACKET),
    "ppp": (links.PPP, b"\xff\3\0\x21" + PACKET),
    "ppp, short": (links.PPP, b"\x21" + PACKET),
    "ppp, framed and short": (links.PPP_HDLC, b"\xff\3\x57" + PACKET + b"ab"),
    "cisco": (links.CISCO_HDLC, b"\x0f\0\x08\0" + PACKET),
    "cisco on a line of ppp": (links.PPP_HDLC, b"\x8f\0\x08\0" + PACKET),
    "cooked padding": (links.COOKED, bytes(14) + b"\x08\0" + PACKET + bytes(6)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_link_layers(name: str) -> None:
    """What stands before and behind an IP packet is cut."""
    linktype, frame = FRAMES[name]
    assert links.LINKS[linktype](frame) == PACKET


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (links.ETHERNET, bytes(12) + b"\x08\6" + bytes(28)),
        (links.ETHERNET, bytes(12) + b"\x81\0"),
        (links.NULL, b"\7\0\0\0" + PACKET),
        (links.LOOP, b"\2\0\0\0" + PACKET),
        (links.PPP, b"\xff\3\xc0\x21\1\1\0\4"),
        (links.PPP, b""),
        (links.CISCO_HDLC, b"\x8f\0\x80\x35" + bytes(18)),
        (links.COOKED, b"\0\4\x03\x38" + bytes(10) + b"\x08\0" + PACKET),
        (links.COOKED_2, b"\x08\0" + bytes(6) + b"\x03\x38" + bytes(10) + PACKET),
    ],
)
def test_no_ip(linktype: int, frame: bytes) -> None:
    """Other protocols and families, and frames that end early, have no IP packet."""
    assert links.LINKS[linktype](frame) is None


@pytest.mark.parametrize("linktype", links.LINKS)
@pytest.mark.parametrize("size", range(24))
def test_short_frames(linktype: int, size: int) -> None:
    """A frame that ends anywhere in its header gives no error."""
    frame = FRAMES["cooked 2"][1][:size]
    assert len(links.LINKS[linktype](frame) or b"") <= size


def test_many_tags() -> None:
    """A frame that consists of tags alone takes no longer than its length."""
    assert links.LINKS[links.ETHERNET](bytes(12) + b"\x81\0\0\0" * 4_000_000) is None


@pytest.mark.parametrize(
    ("linktype", "said"),
    [
        (147, "of link type 147 (USER0), which is not supported"),
        (105, "of link type 105 (IEEE802_11), which is not supported"),
        (60000, "of link type 60000, which is not supported"),
    ],
)
def test_unsupported_types_are_named(linktype: int, said: str) -> None:
    """A link type has its name from tcpdump.org's list, and only its number if it has none."""
    assert linktype not in links.LINKS
    assert links.unsupported(linktype) == said


def test_every_supported_type_that_has_a_name_is_in_the_table() -> None:
    """Two systems gave bare IP numbers of their own, which the list does not have."""
    assert set(links.LINKS) - set(NAMES) == {links.RAW_BSD, links.RAW_OPENBSD}
