"""Tell senders by ICMP that their packets are larger than the network takes."""

from __future__ import annotations

from typing import Final

from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.moments import NS_PER_SECOND
from wintun_api.packet import build

# Every router limits its errors (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4 (f)); Linux sends
# as many in a second.
MOST: Final = 1000


class Replies:
    """Make the replies of one direction, at most `MOST` in a second."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._since_ns = 0
        self._made = 0

    def make(self, packet: bytes, mtu: int, now_ns: int) -> bytes | None:
        """Return the reply to a packet that was too large, and count it; None if it gets none."""
        if now_ns - self._since_ns >= NS_PER_SECOND:
            self._since_ns, self._made = now_ns, 0
        if self._made >= MOST:
            return None
        reply = build.too_big(packet, mtu)
        if reply is not None:
            self._made += 1
            self._accounts.too_big_replies += 1
        return reply
