"""Put the data of TCP segments in order again (RFC 9293, section 3.10.7.4)."""

from __future__ import annotations

MAX_PIECES = 64  # stretches of data with gaps before them; what would begin one more is dropped


class Reassembly:
    """Hold data that arrived ahead of its turn. The caller keeps it within its receive window.

    Attributes:
        next: The place of the first byte that is missing.
        dropped: Segments that were not kept because of `MAX_PIECES`.
    """

    def __init__(self, following: int) -> None:
        self.next = following
        self.dropped = 0
        self._ahead = bytearray()  # its first byte has the place `next`
        self._pieces: list[tuple[int, int]] = []  # in order, apart from each other

    def __len__(self) -> int:
        """Return the bytes of memory that data ahead of its turn takes."""
        return len(self._ahead)

    def put(self, place: int, data: bytes) -> bytes:
        """Take data that begins at a place; return what is in order now, and pass over it."""
        if place < self.next:
            data = data[self.next - place :]
            place = self.next
        if not data:
            return b""
        if place == self.next and not self._pieces:
            self.next += len(data)
            return data
        if not self._mark(place, place + len(data)):
            self.dropped += 1
            return b""
        at = place - self.next
        if len(self._ahead) < at:
            self._ahead.extend(bytes(at - len(self._ahead)))
        self._ahead[at : at + len(data)] = data
        first, end = self._pieces[0]
        if first > self.next:
            return b""
        del self._pieces[0]
        ready = bytes(self._ahead[: end - self.next])
        del self._ahead[: end - self.next]
        self.next = end
        return ready

    def _mark(self, first: int, end: int) -> bool:
        apart = [piece for piece in self._pieces if piece[1] < first or piece[0] > end]
        joined = [piece for piece in self._pieces if piece[1] >= first and piece[0] <= end]
        # The piece that fills the first gap always finds a place, or nothing would ever go on.
        if not joined and len(apart) >= MAX_PIECES and first > self.next:
            return False
        whole = [(first, end), *joined]
        merged = (min(one for one, _ in whole), max(one for _, one in whole))
        self._pieces = sorted([*apart, merged])
        return True
