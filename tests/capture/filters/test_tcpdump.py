"""A hundred filters choose the packets that tcpdump does, in C and in Python."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.capture.filters.corpus import CUT, file_of, packets, places_in
from tests.extension import extension
from tests.libpcap import need_libpcap
from tests.needs import need
from wintun_api.capture.filters.compiler import compile_filter
from wintun_api.capture.filters.matcher import matcher_with
from wintun_api.packet.block import Block

EXPRESSIONS = """
ip
ip6
tcp
udp
icmp
icmp6
sctp
igmp
ah
esp
pim
vrrp
ip proto 47
ip6 proto 58
proto 17
ip proto \\tcp
ip6 proto \\udp
ip protochain 17
ip6 protochain 17
host 10.6.7.8
src host 10.6.7.8
dst host 10.6.7.8
src or dst host 192.168.1.9
src and dst host 10.6.7.8
host fd06:7::8
src host fd06:7::8
ip6 dst host 2001:db8::1
net 10.6.7.0/24
net 10
src net 192.168
dst net 10.6.0.0 mask 255.255.0.0
net fd06:7::/32
ip6 net 2001:db8::/64
host 10.6.7.8 and host 10.6.7.7
not host 10.6.7.8
port 53
src port 53
dst port 443
tcp port 443
udp port 53
tcp dst port 80
udp src port 40000
src or dst port 22
src and dst port 22
portrange 50-90
tcp portrange 400-500
udp dst portrange 1000-8080
src portrange 1-1023
port 22 or port 80 or port 443
port 22 or 80 or 443
not port 53
tcp and not port 22
dst net 224.0.0.0/4
ip6 multicast
less 64
greater 100
len = 128
len > 1000
len <= 60
len & 1 = 1
ip[0] = 0x45
ip[0] & 0xf != 5
ip[8] = 1
ip[8] < 64
ip[9] = 17
ip[2:2] > 576
ip[6:2] & 0x1fff != 0
ip[6] & 0x20 != 0
ip[6:2] & 0x4000 != 0
ip[12:4] = 0x0a060708
ip[0:4] & 0xff000000 = 0x45000000
ip6[6] = 58
ip6[7] = 1
ip6[40] = 128
ip6[4:2] > 100
tcp[13] = 2
tcp[13] & 2 != 0
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
tcp[tcpflags] == tcp-syn
tcp[tcpflags] & (tcp-ece|tcp-cwr) != 0
tcp[0:2] = 443
tcp[2:2] > tcp[0:2]
tcp[12] >> 4 > 5
tcp[(tcp[12] >> 4) * 4] = 0
udp[4:2] > 72
udp[0:2] * 2 = 106
udp[8] = 0
icmp[icmptype] = icmp-echo
icmp[0] = icmp-echoreply
icmp[6:2] % 2 = 0
icmp6[icmp6type] = icmp6-echo
icmp6[0] = 129
(ip[2:2] - ((ip[0] & 0xf) << 2)) - ((tcp[12] & 0xf0) >> 2) != 0
ip[(ip[0] & 0xf) * 4 : 2] = 53
ip[ip[20]] = 0
ip[2:2] / ip[1] = 1
len - ip[2:2] = 0
tcp[4:4] = 0 and len > 40
(tcp or udp) and port 53 and not net 10.6.7.0/24
icmp or (udp and (src port 53 or dst port 1000)) or ip6 net ff02::/16
-ip[8] & 0xff = 0xc0
ip[2:2] ^ 0x1c = 0x40
not (tcp or udp or icmp or icmp6)
tcp && !(port 80 || port 443)
src 10.6.7.8
""".strip().splitlines()


def test_there_are_a_hundred() -> None:
    """No filter is here twice."""
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS) >= 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packets in two files; in one of them they were cut."""
    need("tcpdump")
    need_libpcap()
    folder = tmp_path_factory.mktemp("captures")
    (folder / "whole.pcap").write_bytes(file_of(packets()))
    (folder / "cut.pcap").write_bytes(file_of(packets(), cut=CUT))
    return folder


def tcpdump(file: Path, expression: str) -> list[int]:
    """Return the places of the packets that tcpdump chooses of a file."""
    command = ["tcpdump", "-n", "-r", str(file), "-w", "-", "--", expression]
    done = subprocess.run(command, capture_output=True, check=True)
    return places_in(done.stdout)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_same_packets(folder: Path, expression: str) -> None:
    """They are chosen in C, in Python, and of packets that were cut."""
    program = compile_filter(expression)
    whole = packets()
    cut = [one[:CUT] for one in whole]
    expected = tcpdump(folder / "whole.pcap", expression)
    expected_cut = tcpdump(folder / "cut.pcap", expression)
    for match in (matcher_with(extension()), matcher_with(None)):
        for kind in (list, Block.of):
            assert list(match(program, kind(whole), None)) == expected
            assert list(match(program, kind(cut), list(map(len, whole)))) == expected_cut
