"""A packet, and frames of packets that are refused."""

from __future__ import annotations

from wintun_api.packet import build
from wintun_api.wire import Batch, pack

ECHO = build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1)
GOOD = pack(Batch([ECHO, ECHO]))
BAD_FRAMES = {
    "empty": b"",
    "half a header": GOOD[:16],
    "half a table": GOOD[:34],
    "half a packet": GOOD[:-1],
    "junk behind": GOOD + b"x",
    "wrong magic": b"WTB2" + GOOD[4:],
    "short header": GOOD[:4] + b"\x1f\x00" + GOOD[6:],
    "unknown flag": GOOD[:6] + b"\x00\x80" + GOOD[8:],
    "too many packets": GOOD[:8] + b"\xff\xff\xff\xff" + GOOD[12:],
    "too many bytes": GOOD[:12] + b"\xff\xff\xff\xff" + GOOD[16:],
    "lying length": GOOD[:32] + b"\x01\x00" + GOOD[34:],
    "no frame": ECHO,
}
