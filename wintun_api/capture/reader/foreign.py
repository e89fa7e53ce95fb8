"""Formats that people use for captures and that are not read here, with what to do about them."""

from __future__ import annotations

from typing import Final

_CONVERT: Final = "editcap -F pcapng converts it"
_BEGINNINGS: Final = {
    b"\x1f\x8b": "compressed by gzip more than once; gunzip decompresses it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; zstd -d decompresses it",
    b"\x04\x22\x4d\x18": "compressed by lz4; lz4 -d decompresses it",
    b"\x1f\x9d": "compressed by compress; uncompress decompresses it",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"BZh": "compressed by bzip2; bunzip2 decompresses it",
    b"\xfd7zX": "compressed by xz; unxz decompresses it",
    b"\x5d\0\0": "compressed by lzma; unlzma decompresses it",
    b"LZIP": "compressed by lzip; lzip -d decompresses it",
    b"\x89LZO": "compressed by lzop; lzop -d decompresses it",
    b"Rar!": "a RAR archive; unpack it first",
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"snoo": f"a snoop file; {_CONVERT}",
    b"btsn": f"a btsnoop file, which has Bluetooth packets; {_CONVERT}",
    b"GMBU": f"a file of Network Monitor; {_CONVERT}",
    b"RTSS": f"a file of Network Monitor 1; {_CONVERT}",
    b"TRSN": f"a file of Sniffer; {_CONVERT}",
    b"XCP\0": f"a file of NetXRay; {_CONVERT}",
    b"\x1c\x00\x01\xac": f"a pcap file of IXIA hardware; {_CONVERT}",
    b"\xac\x01\x00\x1c": f"a pcap file of IXIA hardware; {_CONVERT}",
    b"\x1c\x00\x01\xab": f"a pcap file of IXIA software; {_CONVERT}",
    b"\xab\x01\x00\x1c": f"a pcap file of IXIA software; {_CONVERT}",
}


def what_begins_with(beginning: bytes) -> str | None:
    """Return what a file is that begins with these four bytes; None if that is not known."""
    for start, what in _BEGINNINGS.items():
        if beginning.startswith(start):
            return what
    return None
