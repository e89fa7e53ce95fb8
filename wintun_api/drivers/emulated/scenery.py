"""Hold what the host's conversations are about: names, addresses, and messages of protocols.

All addresses are from the ranges for documentation (RFC 5737, RFC 3849).
"""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv6Address
from random import Random
from struct import pack, unpack_from
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

# The last byte of each name's addresses, in 198.51.100.0/24 and 2001:db8:1::/64.
NAMES: Final = {
    "example.com": 10,
    "www.example.com": 10,
    "api.example.net": 21,
    "cdn.example.net": 35,
    "updates.example.org": 47,
    "mail.example.org": 58,
    "telemetry.example.com": 66,
}
MISSING: Final = ("old.example.net", "wpad.example.com")  # names that do not exist
SERVICES: Final = ("_http._tcp.local", "_ipp._tcp.local", "_googlecast._tcp.local")
REFUSING: Final = 66  # the last byte of the host that refuses connections
A, PTR, AAAA = 1, 12, 28  # RFC 1035, RFC 3596
MSS = 1360  # bytes of data in a segment of either version, in an MTU of 1420

_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
_V4, _V6 = IPv4Address("198.51.100.0"), IPv6Address("2001:db8:1::")


def address_of(name: str, version: int) -> Address:
    """Return the address of a name."""
    return (_V4 if version == 4 else _V6) + NAMES[name]


def name_of(address: Address) -> str | None:
    """Return a name with this address; None if none has it."""
    return next((one for one in NAMES if address_of(one, address.version) == address), None)


def question(name: str, kind: int, identifier: int, flags: int = 0x0100) -> bytes:
    """Return a DNS query for one name (RFC 1035)."""
    head = pack("!HHHHHH", identifier, flags, 1, 0, 0, 0)
    return head + _labels(name) + pack("!HH", kind, 1)


def asked(query: bytes) -> tuple[str, int] | None:
    """Return name and type of the question in a DNS message; None if there is none."""
    labels, at = [], 12
    while at < len(query) and (length := query[at]):
        labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return (".".join(labels), unpack_from("!H", query, at + 1)[0]) if at + 5 <= len(query) else None


def answer(query: bytes) -> bytes:
    """Return a resolver's answer to a DNS query: one address, or that there is no such name."""
    found = asked(query)
    name, kind = found if found is not None else ("", A)
    version = 6 if kind == AAAA else 4
    known = name in NAMES and kind in (A, AAAA)
    head = query[:2] + pack("!HHHHH", 0x8180 if known else 0x8183, 1, known, 0, 0)
    if not known:
        return head + query[12:]
    data = address_of(name, version).packed
    return head + query[12:] + pack("!HHHIH", 0xC00C, kind, 1, 300, len(data)) + data


def announcement(service: str) -> bytes:
    """Return the answer of a printer or the like to a query for a service (RFC 6762)."""
    data = b"\x07printer\xc0\x0c"
    head = pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0)
    return head + _labels(service) + pack("!HHIH", PTR, 1, 4500, len(data)) + data


def client_hello(name: str, random: Random) -> bytes:
    """Return a TLS record with a client's hello that names its server (RFC 8446)."""
    host = name.encode()
    server_name = pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    protocols = b"\x02h2\x08http/1.1"
    extensions = (
        server_name
        + pack("!HHH", 10, 6, 4)
        + pack("!HH", 29, 23)  # groups
        + pack("!HHH", 13, 8, 6)
        + pack("!HHH", 0x0403, 0x0804, 0x0401)  # signatures
        + pack("!HHH", 16, len(protocols) + 2, len(protocols))
        + protocols
        + pack("!HHB", 43, 5, 4)
        + pack("!HH", 0x0304, 0x0303)  # versions
        + pack("!HHHHH", 51, 38, 36, 29, 32)
        + random.randbytes(32)  # key share
    )
    ciphers = pack("!HHHHH", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F)
    body = b"\x03\x03" + random.randbytes(32) + b"\x20" + random.randbytes(32)
    body += pack("!H", len(ciphers)) + ciphers + b"\x01\x00"
    body += pack("!H", len(extensions)) + extensions
    return _record(22, b"\x01" + len(body).to_bytes(3, "big") + body, 0x0301)


def server_hello(random: Random) -> bytes:
    """Return a server's hello and what it sends with it, which is encrypted (RFC 8446)."""
    extensions = pack("!HHH", 43, 2, 0x0304) + pack("!HHHH", 51, 36, 29, 32) + random.randbytes(32)
    body = b"\x03\x03" + random.randbytes(32) + b"\x20" + random.randbytes(32)
    body += pack("!HB", 0x1301, 0) + pack("!H", len(extensions)) + extensions
    hello = _record(22, b"\x02" + len(body).to_bytes(3, "big") + body)
    return hello + _record(20, b"\x01") + encrypted(random.randrange(2200, 3400), random)


def finished(random: Random) -> bytes:
    """Return what a client sends after the server's hello, with its first request."""
    return _record(20, b"\x01") + encrypted(53, random) + encrypted(180, random)


def encrypted(size: int, random: Random) -> bytes:
    """Return a TLS record of application data."""
    return _record(23, random.randbytes(size))


def request(name: str, path: str = "/") -> bytes:
    """Return an HTTP request."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Demo/1.0\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


def page(name: str, size: int, random: Random) -> bytes:
    """Return an HTTP answer with a text of about this size; now and then there is no such page."""
    if random.random() < 0.15:
        text, status = b"There is no such page.\n", "404 Not Found"
    else:
        line = f"This is a page of {name}, made up for the demo.\n".encode()
        text, status = line * max(1, size // len(line)), "200 OK"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
    return f"{head}Server: demo\r\nConnection: close\r\n\r\n".encode() + text


def clock_question() -> bytes:
    """Return an NTP request (RFC 5905)."""
    return b"\x23\0\x06\xec" + bytes(36) + _ntp_time()


def clock_answer(asking: bytes) -> bytes:
    """Return a time server's answer to an NTP request."""
    now = _ntp_time()
    head = b"\x24\x02\x06\xe9" + pack("!II", 0x0000_0120, 0x0000_0210) + bytes((192, 0, 2, 1))
    return head + now + asking[40:48] + now + now


def quic_initial(random: Random, identity: bytes, source: bytes = b"") -> bytes:
    """Return a QUIC packet that begins a connection; what it carries is encrypted (RFC 9000)."""
    head = b"\xc3" + pack("!IB", 1, len(identity)) + identity + bytes((len(source),)) + source
    rest = 1200 - len(head) - 3
    return head + b"\0" + pack("!H", 0x4000 | rest) + random.randbytes(rest)


def quic_data(random: Random, identity: bytes, size: int) -> bytes:
    """Return a QUIC packet of a connection that is established."""
    return b"\x4a" + identity + random.randbytes(size)


def _labels(name: str) -> bytes:
    parts = name.split(".")
    return b"".join(bytes((len(one),)) + one.encode("ascii") for one in parts) + b"\0"


def _record(kind: int, content: bytes, version: int = 0x0303) -> bytes:
    return pack("!BHH", kind, version, len(content)) + content


def _ntp_time() -> bytes:
    now = time.time()
    return pack("!II", int(now) + _NTP_EPOCH, int(now % 1 * (1 << 32)))
