"""Packets of the protocols that the dashboard decodes, right and broken, made with Scapy."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from importlib import import_module
from random import Random
from typing import Any

from wintun_api.packet.checksum import checksum

# Scapy has no types.
s: Any = import_module("scapy.all")

# Of so many one is in the corpus of the dashboard's own tests.
STRIDE = 9

HOST, PEER = "10.6.7.7", "192.0.2.9"
HOST6, PEER6 = "fd06:7::7", "2001:db8::9"
ETHER = "02:00:00:00:00:07"


def crafted() -> Iterator[bytes]:
    """Yield them, in an order that does not change."""
    for kind in (
        _names,
        _answers,
        _windows,
        _groups,
        _leases,
        _routes,
        _quotes,
        _tunnels,
        _streams,
        _datagrams,
        _broken,
        _files,
    ):
        yield from kind()


def _four(*layers: Any, **fields: object) -> bytes:
    packet = s.IP(src=HOST, dst=PEER, id=7, **fields)
    for layer in layers:
        packet /= layer
    return bytes(packet)


def _six(*layers: Any, **fields: object) -> bytes:
    packet = s.IPv6(**{"src": HOST6, "dst": PEER6, **fields})
    for layer in layers:
        packet /= layer
    return bytes(packet)


def _port(data: bytes) -> int:
    """Return a port that nothing else of the corpus has, so that no packet explains another."""
    return 20000 + zlib.crc32(data) % 40000


def _udp(port: int, data: bytes | Any, source: int = 0, **fields: object) -> Iterator[bytes]:
    """Yield a datagram over both versions, from a port of its own unless it matters."""
    raw = s.Raw(data) if isinstance(data, bytes) else data
    for wrap in (_four, _six):
        own = _port(bytes(raw) + wrap.__name__.encode())
        yield wrap(s.UDP(sport=source or own, dport=port or own - 1, **fields), raw)


def _tcp(data: bytes, port: int = 443, source: int = 0) -> bytes:
    """Return a segment, from a port of its own unless it matters."""
    own = _port(data + bytes((port & 255, source & 255)))
    ports = {"sport": source or own, "dport": port or own}
    return _four(s.TCP(**ports, flags="PA", seq=1000, ack=2000), s.Raw(data))


def _names() -> Iterator[bytes]:
    for name in (b"example.com", b"www.example.com", "münch.de".encode(), b"a" * 63 + b".de", b""):
        for kind in (1, 28, 15, 16, 33, 65, 255, 12, 999):
            yield from _udp(53, s.DNS(id=kind, rd=1, qd=s.DNSQR(qname=name, qtype=kind)))
    for opcode in (0, 1, 2, 4, 5, 6):
        yield from _udp(53, s.DNS(id=9, opcode=opcode, qd=s.DNSQR(qname="example.com")))
    for code in range(12):
        answer = s.DNS(id=9, qr=1, rd=1, ra=1, rcode=code, qd=s.DNSQR(qname="example.com"))
        yield from _udp(0, answer, 53)
    yield from _udp(53, s.DNS(id=9, ad=1, cd=1, qd=s.DNSQR(qname="example.com", qclass=3)))
    yield from _udp(
        53, s.DNS(id=9, qd=[s.DNSQR(qname="example.com"), s.DNSQR(qname="example.org", qtype=28)])
    )
    yield from _udp(
        53, s.DNS(id=9, qd=s.DNSQR(qname="example.com"), ar=s.DNSRROPT(rclass=1232, z=0x8000))
    )


def _answers() -> Iterator[bytes]:
    question = s.DNSQR(qname="a.example.com", qtype=255)

    def record(kind: int, data: bytes, ttl: int = 300) -> bytes:
        return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data

    def answer(*records: bytes, counts: tuple[int, int, int] | None = None) -> bytes:
        head = bytes(s.DNS(id=0x77, qr=1, rd=1, ra=1, aa=1, qd=question))
        counts = counts or (len(records), 0, 0)
        return head[:6] + struct.pack("!HHH", *counts) + head[12:] + b"".join(records)

    name = b"\x03ns1\xc0\x0e"
    records = [
        record(1, b"\xc0\0\x02\x07"),
        record(2, name),
        record(5, name),
        record(6, name + b"\x05admin\xc0\x0e" + struct.pack("!5I", 2026, 7200, 900, 86400, 60)),
        record(12, name),
        record(15, b"\0\x0a" + name),
        record(16, b"\x05hello\x05world"),
        record(16, "\x07münch".encode()),
        record(28, bytes(15) + b"\x01"),
        record(28, b"\x20\x01\x0d\xb8" + bytes(11) + b"\x07"),
        record(33, b"\0\x01\0\x02\x01\xbb" + name),
        record(43, struct.pack("!HBB", 12345, 8, 2) + bytes(32)),
        record(44, b"\x01\x01" + bytes(range(20))),
        record(44, b"\x04\x02" + bytes(range(32))),
        record(52, b"\x03\x01\x01" + bytes(range(32))),
        record(52, b"\x02\x00\x02" + bytes(range(64))),
        record(257, b"\0\x05issueletsencrypt.org"),
        record(257, b"\x80\x05iodefmailto:a@example.com"),
        record(257, b"\0\x09issuewild;"),
        record(99, b"\x04spf1"),
        record(13, b"\x03cpu\x05linux"),
        record(35, b"\0\x0a\0\x14\x01S\x07SIP+D2U\0" + name),
        record(65, b"\0\x01\0"),
        record(64, b"\0\x01\0\0\x01\0\x03\x02h2"),
        record(48, b"\x01\x01\x03\x08" + bytes(64)),
        record(999, b"unknown"),
    ]
    for each in records:
        yield from _udp(0, answer(each), 53)
    yield from _udp(0, answer(*records[:6]), 53)
    yield from _udp(0, answer(*records[:6], counts=(2, 2, 2)), 53)
    whole = answer(records[0])
    framed = len(whole).to_bytes(2, "big") + whole
    yield _tcp(framed, 0, 53)
    yield _tcp(framed * 2, 0, 53)
    yield _tcp(framed * 3 + framed[:20], 0, 53)
    mdns = s.DNS(id=0, qr=1, aa=1, qd=[], an=[
        s.DNSRR(rrname="_http._tcp.local", type="PTR", ttl=4500, rdata="Web._http._tcp.local"),
        s.DNSRRSRV(rrname="Web._http._tcp.local", port=80, target="host.local", rclass=0x8001),
        s.DNSRR(rrname="Web._http._tcp.local", type="TXT", rdata=[b"path=/", b"x"], rclass=0x8001),
        s.DNSRR(rrname="host.local", type="A", rdata="192.0.2.9", rclass=0x8001),
    ])  # fmt: skip
    yield bytes(s.IP(src=HOST, dst="224.0.0.251", ttl=255) / s.UDP(sport=5353, dport=5353) / mdns)
    yield _six(s.UDP(sport=5353, dport=5353), mdns, dst="ff02::fb")
    yield _four(
        s.UDP(sport=50000, dport=5353), s.DNS(qd=s.DNSQR(qname="host.local", unicastresponse=1))
    )
    both = s.DNS(
        qr=1,
        qd=question,
        an=s.DNSRRMX(rrname="example.com", exchange="mx.example.com"),
        ns=s.DNSRRSOA(rrname="example.com", mname="ns.example.com", rname="a.example.com"),
    )
    yield from _udp(0, both, 53)


def _windows() -> Iterator[bytes]:
    """What a Windows host says to everybody before anybody asked it."""
    for number, name in enumerate(("wpad", "DESKTOP-7", "isatap")):
        for kind in (1, 28, 255):
            query = s.DNS(id=number, qd=s.DNSQR(qname=name, qtype=kind))
            yield bytes(
                s.IP(src=HOST, dst="224.0.0.252", ttl=1) / s.UDP(sport=5, dport=5355) / query
            )
            yield _six(s.UDP(sport=5, dport=5355), query, dst="ff02::1:3", hlim=1)
        answer = s.DNS(id=number, qr=1, qd=s.DNSQR(qname=name),
                     an=s.DNSRR(rrname=name, ttl=30, rdata="192.0.2.9"))  # fmt: skip
        yield from _udp(0, answer, 5355)
    for method in ("M-SEARCH * HTTP/1.1", "NOTIFY * HTTP/1.1", "HTTP/1.1 200 OK"):
        text = f'{method}\r\nHost: 239.255.255.250:1900\r\nMan: "ssdp:discover"\r\nMX: 3\r\n'
        text += "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
        yield bytes(s.IP(src=HOST, dst="239.255.255.250") / s.UDP(sport=50000, dport=1900) / text)
        yield _six(s.UDP(sport=50000, dport=1900), s.Raw(text), dst="ff02::c")
    for name in ("WPAD", "DESKTOP-7", "WORKGROUP"):
        for suffix in (0, 0x20, 0x1C, 0x1B):
            data = struct.pack("!HHHHHH", 0x8123, 0x0110, 1, 0, 0, 0)
            data += _netbios(name, suffix) + b"\0\x20\0\x01"
            yield _four(s.UDP(sport=137, dport=137), s.Raw(data))
    encoded = _netbios("DESKTOP-7", 0)
    for flags in (0x2910, 0x2810, 0x3010, 0x3810):
        data = struct.pack("!HHHHHH", 0x8001, flags, 1, 0, 0, 1) + encoded + b"\0\x20\0\x01"
        data += b"\xc0\x0c" + struct.pack("!HHIHH4s", 32, 1, 300000, 6, 0x6000, b"\x0a\x06\x07\x07")
        yield _four(s.UDP(sport=137, dport=137), s.Raw(data))
    for flags in (0x8500, 0xAD80, 0x8583, 0xAD86):
        data = struct.pack("!HHHHHH", 0x8001, flags, 0, 1, 0, 0) + encoded
        data += struct.pack("!HHIHH4s", 32, 1, 300, 6, 0, b"\x0a\x06\x07\x07")
        yield _four(s.UDP(sport=137, dport=137), s.Raw(data))


def _netbios(name: str, suffix: int) -> bytes:
    letters = name.ljust(15).encode() + bytes((suffix,))
    halves = b"".join(bytes((65 + (each >> 4), 65 + (each & 15))) for each in letters)
    return bytes((len(halves),)) + halves + b"\0"


def _groups() -> Iterator[bytes]:
    def igmp(data: bytes, **fields: object) -> bytes:
        total = checksum(data)
        options = fields.pop("options", [])
        return bytes(
            s.IP(src=HOST, dst="224.0.0.22", ttl=1, proto=2, options=options)
            / s.Raw(data[:2] + total.to_bytes(2, "big") + data[4:])
        )

    group = bytes((239, 1, 2, 3))
    for kind in (0x11, 0x12, 0x16, 0x17, 0x13, 0x14, 0x22, 0x30, 0x99):
        for wait in (0, 100, 200):
            yield igmp(bytes((kind, wait, 0, 0)) + group)
    yield igmp(b"\x11\x64\0\0" + bytes(4))
    yield igmp(b"\x11\x64\0\0" + bytes(4) + b"\x0a\x7d\0\x02" + group + group)
    for kind in range(1, 7):
        sources = group * (kind - 1)
        record = bytes((kind, 0, 0, kind - 1)) + group + sources
        yield igmp(b"\x22\0\0\0\0\0\0\x01" + record)
        yield igmp(b"\x22\0\0\0\0\0\0\x02" + record * 2)
    yield igmp(b"\x22\0\0\0\0\0\0\x09\x04\0\0\0" + group)
    for kind in (*range(19), 30, 40, 200):
        for code in (0, 1, 99):
            yield _four(s.ICMP(type=kind, code=code), s.Raw(bytes(8) + b"more"))
    for kind in (*range(6), 100, *range(128, 160), 200):
        message = bytes((kind, 0, 0, 0)) + bytes(36)
        yield _six(s.Raw(_summed6(message)), nh=58)
        if kind < 5:
            yield _six(s.Raw(_summed6(bytes((kind, 99, 0, 0)) + bytes(36))), nh=58)
    listener = b"\x82\0\0\0\x27\x10\0\0" + bytes(16) + b"\x0a\x7d\0\x01" + bytes(16)
    yield _six(s.Raw(_summed6(listener)), nh=58)
    yield _six(s.ICMPv6ND_NS(tgt=PEER6), s.ICMPv6NDOptSrcLLAddr(lladdr=ETHER), dst="ff02::1:ff00:9")


def _leases() -> Iterator[bytes]:
    for kind in ("discover", "offer", "request", "decline", "ack", "nak", "release", "inform"):
        options = [
            ("message-type", kind),
            ("client_id", b"\x01\x02\0\0\0\0\x07"),
            ("hostname", b"desktop"),
            ("vendor_class_id", b"MSFT 5.0"),
            ("requested_addr", "192.0.2.7"),
            ("server_id", "192.0.2.1"),
            ("lease_time", 3600),
            ("subnet_mask", "255.255.255.0"),
            ("router", "192.0.2.1"),
            ("name_server", "192.0.2.1", "192.0.2.2"),
            ("domain", b"example.com"),
            ("param_req_list", [1, 3, 6, 15]),
            "end",
        ]
        reply = kind in ("offer", "ack", "nak")
        lease = s.BOOTP(
            op=2 if reply else 1,
            chaddr=bytes.fromhex(ETHER.replace(":", "")),
            xid=99,
            yiaddr="192.0.2.7" if reply else "0.0.0.0",
        ) / s.DHCP(options=options)
        ports = (67, 68) if reply else (68, 67)
        around = s.IP(src="0.0.0.0", dst="255.255.255.255")
        yield bytes(around / s.UDP(sport=ports[0], dport=ports[1]) / lease)
    yield bytes(s.IP(src=HOST, dst=PEER) / s.UDP(sport=68, dport=67) / s.BOOTP(xid=5))
    yield bytes(s.IP(src=HOST, dst=PEER) / s.UDP(sport=68, dport=67) / bytes(s.BOOTP(xid=5))[:236])
    identity = s.DUID_LL(lladdr=ETHER)
    other = s.DUID_LLT(lladdr=ETHER, timeval=1000)
    address = s.DHCP6OptIAAddress(addr="fd06:7::77", preflft=100, validlft=200)
    asked = [
        s.DHCP6OptClientId(duid=identity),
        s.DHCP6OptServerId(duid=other),
        s.DHCP6OptElapsedTime(elapsedtime=100),
        s.DHCP6OptIA_NA(iaid=7, T1=10, T2=20, ianaopts=[address]),
        s.DHCP6OptOptReq(reqopts=[23, 24, 17]),
        s.DHCP6OptDNSServers(dnsservers=["fd06:7::1", "fd06:7::2"]),
        s.DHCP6OptDNSDomains(dnsdomains=["example.com"]),
        s.DHCP6OptClientFQDN(fqdn="desktop.example.com"),
        s.DHCP6OptStatusCode(statuscode=0, statusmsg="fine"),
    ]
    for make in (s.DHCP6_Solicit, s.DHCP6_Request, s.DHCP6_InfoRequest, s.DHCP6_Release):
        message = make(trid=0x123456)
        yield _six(s.UDP(sport=546, dport=547), message.copy(), dst="ff02::1:2")
        for option in asked:
            message /= option.copy()
            yield _six(s.UDP(sport=546, dport=547), message.copy(), dst="ff02::1:2")
    for make in (s.DHCP6_Advertise, s.DHCP6_Reply):
        message = make(trid=0x654321)
        for option in asked:
            message /= option.copy()
        yield _six(s.UDP(sport=547, dport=546), message)
    for number in (0, 6, 7, 9, 10, 14, 200):
        yield _six(s.UDP(sport=546, dport=547), s.Raw(bytes((number, 1, 2, 3))))
    inner = bytes(s.DHCP6_Solicit(trid=0x111111) / asked[0])
    relayed = b"\x0c\x00" + bytes(15) + b"\x01" + bytes(15) + b"\x02"
    relayed += struct.pack("!HH", 9, len(inner)) + inner
    yield _six(s.UDP(sport=547, dport=547), s.Raw(relayed))


def _routes() -> Iterator[bytes]:
    hop = b"\xc6\x33\x64\x01\xc6\x33\x64\x02"
    for kind in (131, 137):
        for pointer in (4, 8, 12, 3, 200):
            option = bytes((kind, 11, pointer)) + hop + b"\0"
            for layer in (s.TCP(sport=1, dport=2, flags="S"), s.UDP(sport=1, dport=2)):
                made = bytearray(_four(layer / b"data", options=[]))
                # The sum is over the last address of the route.
                last = hop[-4:] if 4 <= pointer <= 8 else bytes(made[16:20])
                whole = s.IP(src=HOST, dst=".".join(map(str, last)), id=7) / layer / b"data"
                body = bytes(whole)[20:]
                head = bytes((0x48,)) + made[1:2] + (32 + len(body)).to_bytes(2, "big")
                head += bytes(made[4:10]) + b"\0\0" + bytes(made[12:20]) + option
                total = checksum(head).to_bytes(2, "big")
                yield head[:10] + total + head[12:] + body
    hops = ["2001:db8::a", "2001:db8::b", "2001:db8::c"]
    for layer in (
        s.TCP(sport=1, dport=2, flags="S"),
        s.UDP(sport=1, dport=2),
        s.ICMPv6EchoRequest(),
    ):
        for left in (0, 1, 2, 3):
            yield _six(
                s.IPv6ExtHdrRouting(type=0, addresses=hops, segleft=left), layer.copy() / b"x"
            )
            yield _six(
                s.IPv6ExtHdrSegmentRouting(addresses=hops, segleft=min(left, 2), lastentry=2),
                layer.copy() / b"x",
            )
        route = b"\0\x02\x02\x01\0\0\0\0" + bytes(15) + b"\x01"
        body = bytes(_six(layer.copy() / b"x"))
        yield (
            body[:4]
            + (len(body) - 40 + 24).to_bytes(2, "big")
            + b"\x2b"
            + body[7:40]
            + (body[6:7] + route[1:] + body[40:])
        )
    for options in (b"\x07\x07\x04\0\0\0\0\0", b"\x94\x04\0\0", b"\x01\x01\x01\0",
                    b"\x44\x0c\x05\0" + bytes(8), b"\x82\x0b" + bytes(9) + b"\0",
                    b"\x99\x04\0\0", b"\x07\x01\0\0", b"\x07\x63\0\0"):  # fmt: skip
        whole = bytearray(_four(s.UDP(sport=1, dport=9), s.Raw(b"data")))
        whole[0] = 0x40 | (20 + len(options)) // 4
        whole[2:4] = (len(whole) + len(options)).to_bytes(2, "big")
        whole[10:12] = b"\0\0"
        first = bytes(whole[:20]) + options
        yield first[:10] + checksum(first).to_bytes(2, "big") + first[12:] + bytes(whole[20:])
    for options in (b"\x01\x04\0\0\0\0", b"\x05\x02\0\0\x01\0", b"\xc2\x04\0\0\0\x64",
                    b"\x3e\x01\x07\0\0\0", b"\0\0\0\0\0\0", b"\x01\xff\0\0\0\0"):  # fmt: skip
        body = bytes(_six(s.UDP(sport=1, dport=9), s.Raw(b"data")))
        for kind in (0, 60):
            yield (
                body[:4]
                + (len(body) - 32).to_bytes(2, "big")
                + bytes((kind,))
                + body[7:40]
                + (b"\x11\0" + options + body[40:])
            )


def _quotes() -> Iterator[bytes]:
    lost = [
        bytes(s.IP(src=PEER, dst=HOST) / layer)
        for layer in (
            s.TCP(sport=80, dport=5000, seq=77, flags="S"),
            s.UDP(sport=53, dport=5000) / s.DNS(qd=s.DNSQR(qname="example.com")),
            s.ICMP(id=5, seq=6),
            s.SCTP(sport=7, dport=8, tag=9),
        )
    ]
    for kind in (3, 4, 5, 11, 12):
        for packet in lost:
            for size in (20, 24, 28, len(packet)):
                yield _four(s.ICMP(type=kind, code=0), s.Raw(packet[:size]))
    lost6 = [
        bytes(s.IPv6(src=PEER6, dst=HOST6) / layer)
        for layer in (
            s.TCP(sport=80, dport=5000, seq=77, flags="S"),
            s.UDP(sport=53, dport=5000) / s.DNS(qd=s.DNSQR(qname="example.com")),
            s.ICMPv6EchoRequest(id=5, seq=6),
        )
    ]
    for error in (
        s.ICMPv6DestUnreach(code=4),
        s.ICMPv6PacketTooBig(mtu=1280),
        s.ICMPv6TimeExceeded(),
    ):
        for packet in lost6:
            for size in (40, 48, len(packet)):
                yield _six(error.copy(), s.Raw(packet[:size]))


def _tunnels() -> Iterator[bytes]:
    inner = s.IP(src="198.51.100.1", dst="198.51.100.2") / s.UDP(sport=5, dport=6) / b"inside"
    inner6 = s.IPv6(src="2001:db8::1", dst="2001:db8::2") / s.UDP(sport=5, dport=6) / b"inside"
    for packet in (inner, inner6):
        yield _four(packet.copy())
        yield _six(packet.copy())
        for fields in ({}, {"chksum_present": 1}, {"key_present": 1, "key": 77},
                       {"seqnum_present": 1, "sequence_number": 9},
                       {"key_present": 1, "seqnum_present": 1, "key": 1}):  # fmt: skip
            yield _four(s.GRE(proto=0x0800 if packet is inner else 0x86DD, **fields), packet.copy())
            yield _six(s.GRE(proto=0x0800 if packet is inner else 0x86DD, **fields), packet.copy())
    for kind in (0x6558, 0x880B, 0x1234):
        yield _four(s.GRE(proto=kind), s.Raw(b"not a packet"))
    for number in range(4):
        yield _four(s.ESP(spi=0x1000 + number, seq=number, data=bytes(40)))
        yield _six(s.ESP(spi=0x1000 + number, seq=number, data=bytes(40)))
        header = s.AH(spi=7 + number, seq=number, icv=bytes(12), nh=17, payloadlen=4)
        yield _four(header, s.UDP(sport=1, dport=9), s.Raw(b"behind"), proto=51)
        yield _six(header, s.UDP(sport=1, dport=9), s.Raw(b"behind"))
    for size in (0, 4, 8):
        yield _four(s.Raw(bytes(size)), proto=50)
        yield _four(s.Raw(bytes(size)), proto=47)
        yield _four(s.Raw(bytes(size)), proto=51)
        yield _four(s.Raw(bytes(size)), proto=132)
    yield _four(s.UDP(sport=4500, dport=4500), s.Raw(b"\xff"))
    yield _four(s.UDP(sport=4500, dport=4500), s.Raw(b"\x12\x34\x56\x78\0\0\0\x01" + bytes(40)))
    for port in (500, 4500):
        marker = bytes(4) if port == 4500 else b""
        for exchange in (34, 35, 36, 37, 99):
            for flags in (0x08, 0x20):
                head = bytes(range(1, 9)) + bytes(8) + bytes((40, 0x20, exchange, flags))
                payload = b"\0\0\0\x0c" + bytes(8)
                head += struct.pack("!II", 1, 28 + len(payload))
                yield from _udp(port, marker + head + payload, port)
        for exchange in (2, 4, 5, 32):
            head = bytes(range(1, 9)) + bytes(8) + bytes((10, 0x10, exchange, 0))
            head += struct.pack("!II", 0, 40)
            yield from _udp(port, marker + head + b"\0\0\0\x0c" + bytes(8), port)
    for kind, size in ((1, 148), (2, 92), (3, 64), (4, 32), (4, 96), (4, 33)):
        data = bytes((kind, 0, 0, 0)) + b"\x77\x66\x55\x44" + b"\x01\0\0\0\0\0\0\0" + bytes(size)
        yield from _udp(51820, data[:size], 51820)
        yield from _udp(0, data[:size])
    for protocol in (2, 33, 46, 59, 88, 89, 94, 97, 103, 108, 112, 115, 124, 137, 253, 254, 255):
        yield _four(s.Raw(bytes(range(40))), proto=protocol)
        yield _six(s.Raw(bytes(range(40))), nh=protocol)
    for protocol in (135, 139, 140):
        for following in (17, 59):
            yield _six(s.Raw(bytes((following, 0)) + bytes(6) + bytes(s.UDP(sport=1, dport=9))),
                       nh=protocol)  # fmt: skip


def _streams() -> Iterator[bytes]:
    for shift in (0, 7, 14, 15, 255):
        yield bytes(s.IP(src=HOST, dst=PEER) / s.TCP(flags="S", options=[("WScale", shift)]))
    for kind, size in ((2, 2), (2, 6), (3, 4), (4, 3), (5, 6), (8, 6), (19, 18), (28, 4), (30, 12),
                       (34, 10), (253, 6), (99, 99), (5, 1), (99, 0)):  # fmt: skip
        data = (bytes((kind, size)) + bytes(64))[: max(2, min(size, 40))]
        data += bytes(-len(data) % 4)
        base = bytes(s.TCP(sport=5, dport=6, flags="A"))
        body = base[:12] + bytes(((20 + len(data)) // 4 << 4,)) + base[13:] + data
        yield _four(s.Raw(body), proto=6)
    for flags in ("S", "SA", "A", "PA", "FA", "R", "RA", "FPU", "SEC", "N", ""):
        yield _four(s.TCP(sport=5, dport=6, flags=flags, urgptr=7 if "U" in flags else 0))
    for line in (b"GET / HTTP/1.1", "GET /münchen?q=1 HTTP/1.1".encode(), b"POST /x HTTP/1.0",
                 b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.0 500",
                 b"OPTIONS * HTTP/1.1", b"CONNECT example.com:443 HTTP/1.1"):  # fmt: skip
        head = b"\r\nHost: example.com\r\nUser-Agent: curl/8\r\nAccept: */*\r\n"
        yield _tcp(line + head + b"\r\n", 80)
        yield _tcp(line + head + b"Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody", 8080)
        yield _tcp(line + head + b"Connection: close\r\nCookie: a=b\r\nX-Own: 1\r\n\r\n", 80)
        yield _tcp(line + head[:30], 80)
    for banner in (b"SSH-2.0-OpenSSH_9.9\r\n", b"SSH-1.99-x\r\n"):
        yield _tcp(banner, 22)
        yield _tcp(banner, 0, 22)
    yield _tcp(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 80)
    yield _tcp(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0", 80)

    def record(kind: int, data: bytes, version: int = 0x0303) -> bytes:
        return struct.pack("!BHH", kind, version, len(data)) + data

    def message(kind: int, data: bytes) -> bytes:
        return bytes((kind,)) + len(data).to_bytes(3, "big") + data

    def extension(kind: int, data: bytes) -> bytes:
        return struct.pack("!HH", kind, len(data)) + data

    def hello(name: bytes, version: int = 0x0303) -> bytes:
        server = b"\0" + len(name).to_bytes(2, "big") + name
        extensions = extension(0, len(server).to_bytes(2, "big") + server) if name else b""
        extensions += extension(10, b"\0\x04\0\x1d\0\x17")
        extensions += extension(16, b"\0\x0c\x02h2\x08http/1.1")
        extensions += extension(43, b"\x04\x03\x04\x03\x03")
        extensions += extension(13, b"\0\x04\x04\x03\x08\x04")
        body = version.to_bytes(2, "big") + bytes(range(32)) + b"\x20" + bytes(range(32))
        body += b"\0\x06\x13\x01\x13\x02\xc0\x2f\x01\0"
        return message(1, body + len(extensions).to_bytes(2, "big") + extensions)

    server = b"\x03\x03" + bytes(range(32)) + b"\0\x13\x01\0\0\x06" + extension(43, b"\x03\x04")
    other = b"\x03\x03" + bytes(range(32)) + b"\0\xc0\x2f\0\0\x00"
    for name in (b"example.com", "münch.de".encode(), b"", b"a" * 63 + b".org"):
        for port in (443, 8443):
            yield _tcp(record(22, hello(name), 0x0301), port)
            yield _tcp(record(22, hello(name)) + record(20, b"\1") + record(23, bytes(40)), port)
    yield _tcp(record(22, hello(b"example.com"))[:80], 443)
    yield _tcp(record(22, message(2, server)) + record(20, b"\x01") + record(23, bytes(90)), 0, 443)
    certificate = message(11, b"\0\0\0")
    flight = message(2, other) + certificate + message(12, bytes(60)) + message(14, b"")
    yield _tcp(record(22, flight), 0, 443)
    parts = (message(2, other), certificate, message(14, b""))
    yield _tcp(b"".join(record(22, part) for part in parts), 0, 443)
    yield _tcp(
        record(22, message(16, bytes(33))) + record(20, b"\1") + record(22, bytes(range(200, 240)))
    )
    for level, description in ((1, 0), (2, 40), (2, 48), (1, 90), (2, 70), (2, 255), (9, 9)):
        yield _tcp(record(21, bytes((level, description))))
    yield _tcp(record(21, bytes(range(26))))
    for version in (0x0300, 0x0301, 0x0302, 0x0303, 0x0304):
        yield _tcp(record(22, hello(b"example.com", version), version))
        yield _tcp(record(23, bytes(30), version))
    yield _tcp(record(23, bytes(16384)))
    yield _tcp(record(23, bytes(100))[:60])
    yield _tcp(record(24, b"\1\0\x03abc" + bytes(16)))


def _datagrams() -> Iterator[bytes]:
    for version in (1, 0x6B3343CF, 0xFF00001D, 0x0A0A0A0A, 0):
        for kind in range(4):
            head = bytes((0xC0 | kind << 4,)) + version.to_bytes(4, "big")
            head += b"\x08" + bytes(range(8)) + b"\x04" + bytes(range(4))
            if version == 0:
                head += struct.pack("!II", 1, 0x6B3343CF)
            else:
                initial = kind == (1 if version == 0x6B3343CF else 0)
                head += (b"\0" if initial else b"") + b"\x40\x43" + bytes(67)
            # Version negotiation is of a connection that is known.
            yield from _udp(443, head, 50000)
            if version:
                yield from _udp(0, head)
    yield from _udp(443, b"\x40" + bytes(range(40)))
    yield from _udp(443, b"\x16\xfe\xfd" + bytes(8) + b"\0\x1e" + bytes(30))
    yield from _udp(443, b"\x17\xfe\xfd\0\x01" + bytes(6) + b"\0\x10" + bytes(16))
    yield from _udp(443, b"anything else that is not QUIC")
    yield from _udp(443, b"\x01" * 20)
    for method in (0x0001, 0x0101, 0x0111, 0x0003, 0x0011, 0x0103):
        body = struct.pack("!HH", 0x0020, 8) + b"\0\x01\xa1\x47\xe1\xba\xa5\x4b"
        body += struct.pack("!HH4s", 0x8022, 4, b"soft")
        data = struct.pack("!HHI", method, len(body), 0x2112A442) + bytes(range(12)) + body
        yield from _udp(3478, data)
        yield from _udp(0, data)
        yield from _udp(3478, data[:8] + bytes(range(12)), 3479)
    for mode in range(8):
        for version in (1, 3, 4):
            head = bytes((version << 3 | mode, 2, 6, 0xE9))
            yield from _udp(123, head + bytes(range(44)))
    snmp = bytes.fromhex(
        "302902010104067075626c6963a01c020412345678020100020100300e300c06082b060102010101000500"
    )
    yield from _udp(161, snmp)
    yield from _udp(0, snmp, 162)
    for port in (69, 137, 138, 161, 514, 520, 1194, 1701, 4789, 5060, 9):
        yield from _udp(port, bytes(range(60)))
    yield _four(s.Raw(struct.pack("!HHHH", 1, 9, 12, 0) + b"data"), proto=136)
    yield _four(s.Raw(struct.pack("!HHHH", 1, 9, 0, 0xFFFF) + b"data"), proto=136)
    yield _six(s.Raw(struct.pack("!HHHH", 1, 9, 8, 7) + b"data"), nh=136)
    yield _four(s.Raw(struct.pack("!HHBBHHI", 1, 9, 4, 0, 0, 0, 0) + bytes(8)), proto=33)
    for chunks in (
        s.SCTPChunkInit(init_tag=7, a_rwnd=1000, n_out_streams=2, n_in_streams=3, init_tsn=9),
        s.SCTPChunkData(tsn=5, stream_id=1, stream_seq=2, proto_id=0, data=b"hello"),
        s.SCTPChunkSACK(cumul_tsn_ack=5, a_rwnd=999),
    ):
        yield _four(s.SCTP(sport=5, dport=2905, tag=99) / chunks)
        yield _six(s.SCTP(sport=5, dport=2905, tag=99) / chunks)
        yield _four(s.SCTP(sport=5, dport=2905, tag=99) / chunks / chunks.copy())
    for kind in (*range(1, 16), 0x80, 0x81, 0xC0, 0xC1, 200):
        chunk = bytes((kind, 0, 0, 8)) + bytes(4)
        yield _four(s.SCTP(sport=5, dport=6, tag=1), s.Raw(chunk))
    yield _four(s.SCTP(sport=5, dport=6, tag=1), s.Raw(bytes((5, 0, 0, 4)) + bytes((11, 0, 0, 4))))


def _broken() -> Iterator[bytes]:
    """What contradicts itself, or ends early."""
    head = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    for question in (
        b"\xc0\x30\0\x01\0\x01" + bytes(60),
        b"\xc0\x0c\0\x01\0\x01",
        b"\x01a\xc0\x0c\0\x01\0\x01",
        b"\x3fshort\0\x01",
        b"\x40abc\0\0\x01\0\x01",
        b"\x80abc\0\0\x01\0\x01",
        b"\x03www\x07example\x03com\0\0",
        b"\x03www\x07example\x03com",
        b"\x03www",
        b"",
    ):
        yield from _udp(53, head + question)
    query = b"\x01a\x02de\0\0\x01\0\x01"
    yield from _udp(53, head[:4] + b"\xff\xff" + head[6:] + query)
    yield from _udp(53, head[:6] + b"\0\x01" + head[8:] + query)
    for size in (1, 2, 6, 11):
        yield from _udp(53, head[:size])
    answer = head[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + query
    record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0"
    for tail in (record + b"\x04\xc0\0", record + b"\xff", record + b"\x03\xc0\0\2", b"\xc0"):
        yield from _udp(0, answer + tail, 53)
    for length in (0, 1, 7, 8, 9, 100, 65535):
        for port in (9, 53):
            yield _four(s.UDP(sport=1, dport=port, len=length, chksum=77), s.Raw(b"12345678"))
            yield _six(s.UDP(sport=1, dport=port, len=length, chksum=77), s.Raw(b"12345678"))
    yield _six(s.UDP(sport=1, dport=9, chksum=0), s.Raw(b"data"))
    yield _four(s.UDP(sport=1, dport=9, chksum=0), s.Raw(b"data"))
    for ihl in (0, 4, 5, 6, 15):
        for total in (0, 19, 27, 1000):
            made = bytearray(_four(s.UDP(sport=1, dport=9), s.Raw(b"data")))
            made[0] = 0x40 | ihl
            made[2:4] = total.to_bytes(2, "big")
            yield bytes(made)
    for offset in (0, 4, 5, 6, 15):
        yield _four(s.TCP(sport=1, dport=2, dataofs=offset), s.Raw(b"abc"))
    for whole in (
        _four(s.TCP(sport=1, dport=2)),
        _six(s.TCP(sport=1, dport=2)),
        _four(s.UDP(sport=1, dport=2)),
        _four(s.ICMP()),
        _six(s.ICMPv6EchoRequest()),
    ):
        start = 20 if whole[0] >> 4 == 4 else 40
        for size in (0, 1, 3, 4, 6, 7):
            body = whole[start : start + size]
            cut = bytearray(whole[:start] + body)
            cut[2:4] = (start + size).to_bytes(2, "big") if start == 20 else cut[2:4]
            if start == 40:
                cut[4:6] = size.to_bytes(2, "big")
            else:
                cut[10:12] = b"\0\0"
                cut[10:12] = checksum(bytes(cut[:20])).to_bytes(2, "big")
            yield bytes(cut)
    for text in ("::1.2.3.4", "::ffff:1.2.3.4", "::1", "::", "64:ff9b::1.2.3.4", "2002:102:304::"):
        yield _six(s.UDP(sport=1, dport=9), s.Raw(b"data"), dst=text)
    random = Random(7)  # scenery, no secret
    for port in (53, 123, 137, 443, 546, 547, 1900, 3478, 5353, 5355, 500, 4500, 51820, 67):
        for _ in range(6):
            yield from _udp(port, random.randbytes(random.choice((1, 8, 20, 60, 200))), port)


def _files() -> Iterator[bytes]:
    for flags in (0, 1):
        smb = b"\xfeSMB" + struct.pack("<HHIHHIIQ", 64, 0, 0, 13, 1, flags, 0, 5) + bytes(32)
        smb += b"\x04\0\0\0"
        framed = len(smb).to_bytes(4, "big") + smb
        yield _tcp(framed, 445) if flags == 0 else _tcp(framed, 0, 445)


def _summed6(message: bytes) -> bytes:
    pseudo = bytes(s.IPv6(src=HOST6, dst=PEER6))[8:40] + struct.pack("!II", len(message), 58)
    return message[:2] + checksum(pseudo + message).to_bytes(2, "big") + message[4:]
