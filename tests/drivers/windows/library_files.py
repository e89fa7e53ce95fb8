"""Files with the headers of a library, and no code."""

from __future__ import annotations

import struct

SECTION = 0x1000  # where the one section lies in memory
RAW = 0x200  # and in the file


def version_resource(address: int, version: tuple[int, int, int, int]) -> bytes:
    """Return resource directories at this address that lead to a version, and only to that."""
    major, minor, patch, build = version
    fixed = struct.pack("<IIII", 0xFEEF04BD, 0x10000, major << 16 | minor, patch << 16 | build)
    deeper = 1 << 31
    levels = [  # type 24 (a manifest), then 16 (versions); one name; one language
        struct.pack("<IIHHHHIIII", 0, 0, 0, 0, 0, 2, 24, 200, 16, 32 | deeper),
        struct.pack("<IIHHHHII", 0, 0, 0, 0, 0, 1, 1, 56 | deeper),
        struct.pack("<IIHHHHII", 0, 0, 0, 0, 0, 1, 1033, 80),
    ]
    block = b"VS_VERSION_INFO" + fixed
    return b"".join(levels) + struct.pack("<IIII", address + 96, len(block), 0, 0) + block


def library_file(
    names: list[str],
    *,
    machine: int = 0x8664,
    wide: bool = True,
    version: tuple[int, int, int, int] | None = None,
) -> bytes:
    """Return a file with the headers of a library that exports these names."""
    strings, pointers = b"", []
    base = SECTION + 40 + 4 * len(names)
    for name in names:
        pointers.append(base + len(strings))
        strings += name.encode() + b"\0"
    directory = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, 0, 1, 0, len(names), 0, SECTION + 40, 0)
    section = directory + struct.pack(f"<{len(names)}I", *pointers) + strings
    resources = SECTION + len(section) if version else 0
    section += version_resource(resources, version) if version else b""
    magic, before = (0x20B, 112) if wide else (0x10B, 96)
    optional = struct.pack("<H", magic) + bytes(before - 2)
    optional += struct.pack("<IIIIII", SECTION, len(section), 0, 0, resources, 0) + bytes(104)
    header = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40)
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0)
    table = b".edata\0\0" + struct.pack("<IIII", len(section), SECTION, len(section), RAW)
    content = header + b"PE\0\0" + coff + optional + table + bytes(16)
    return content.ljust(RAW, b"\0") + section
