"""capture.filters.names: which words of a filter libpcap may look up in the network."""

from __future__ import annotations

import pytest

from wintun_api.capture.filters.names import WORD, names_in, place_of, without_names


@pytest.mark.parametrize(
    "expression",
    [
        "tcp port 443",
        "tcp port http or https",
        "portrange ftp-data-ssh",
        "ip proto \\tcp and not icmp6",
        "host 10.6.7.8 or net 192.168 or dst net fd06:7::/64",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
        "icmp[icmptype] = icmp-echoreply || icmp6[icmp6type] == icmp6-echo",
        "net 10.0.0.0 mask 255.0.0.0 and greater 0x40",
        "ip[6:2] & 0x3fff != 0",
        "ether proto ip and not ip broadcast",
    ],
)
def test_filters_without_names(expression: str) -> None:
    """Words of the language, numbers, addresses and what files of the system name are no names."""
    assert list(names_in(expression)) == []


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("host office.example.com", [("office.example.com", 5)]),
        ("src a or dst net b2", [("a", 4), ("b2", 17)]),
        ("tcp port ssh and src host gate-1", [("gate-1", 26)]),
        ("host \\tcp", [("tcp", 5)]),
        ("host 1a.example", [("1a.example", 5)]),
        ("host 1.2.3.4.5", [("1.2.3.4.5", 5)]),
        ("tcp prot 80", [("prot", 4)]),
    ],
)
def test_filters_with_names(expression: str, names: list[tuple[str, int]]) -> None:
    """Each word that may be the name of a host or of a network is found, with its offset."""
    found = list(names_in(expression))
    assert [(one.text, one.start) for one in found] == names
    assert all(expression[one.start : one.end].endswith(one.text) for one in found)


def test_addresses_instead_of_names() -> None:
    """Each word of the filter without names is found again in the one with names."""
    expression = "host \\a or (src office.example.com and port ssh) or host x"
    plain = "host 1.1.1.1 or (src 1.1.1.1 and port ssh) or host 1.1.1.1"
    assert without_names(expression) == plain
    words = [one.start() for one in WORD.finditer(plain)]
    assert [place_of(expression, at) for at in words] == [
        one.start() for one in WORD.finditer(expression)
    ]
    assert place_of(expression, len(plain)) == len(expression)
