from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from wintun_api.drivers.windows.acl import SecurityAttributes
from wintun_api.drivers.windows.signature import (
    FileInfo,
    ProviderCertificate,
    Signature,
    TrustData,
    read_signature,
)


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the layout of 64 bits")
@pytest.mark.parametrize(
    ("structure", "size", "offsets"),
    [
        (FileInfo, 32, [0, 8, 16, 24]),
        (TrustData, 88, [0, 8, 16, 24, 28, 32, 40, 48, 56, 64, 72, 76, 80]),
        (ProviderCertificate, 16, [0, 8]),
        (SecurityAttributes, 24, [0, 8, 16]),
    ],
)
def test_layout(structure: type[ctypes.Structure], size: int, offsets: list[int]) -> None:
    """Structures lie in memory as wintrust.h and minwinbase.h have them."""
    assert ctypes.sizeof(structure) == size
    assert [getattr(structure, field[0]).offset for field in structure._fields_] == offsets


def test_trusted() -> None:
    """Only zero is trust; a name alone is not."""
    assert Signature(0, "WireGuard LLC").trusted
    assert not Signature(1, "WireGuard LLC").trusted


@pytest.mark.skipif(hasattr(ctypes, "WinDLL"), reason="for systems that are not Windows")
def test_elsewhere() -> None:
    """Off Windows there is nobody to ask."""
    assert read_signature(Path("/wintun.dll"), 0) is None
