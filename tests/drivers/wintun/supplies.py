"""A library that is as it should be."""

from __future__ import annotations

from pathlib import Path

from wintun_api.drivers.windows.image import Image
from wintun_api.drivers.windows.signature import Signature
from wintun_api.drivers.wintun.abi import Generation, exports_of
from wintun_api.drivers.wintun.supply import Supply

EXPORTS = exports_of(Generation.TUNNEL_TYPE)
GOOD = Supply(
    path=Path("/wintun.dll"),
    sha256="00" * 32,
    image=Image("amd64", EXPORTS),
    release=None,
    signature=Signature(0, "WireGuard LLC"),
)
