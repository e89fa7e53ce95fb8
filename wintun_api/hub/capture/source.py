"""One session in a capture."""

from __future__ import annotations

from uuid import UUID


class Source:
    """Hold what a capture knows of one session. Event loop thread only.

    Attributes:
        session: The id of the session.
        adapter: The GUID of its adapter.
        name: The name of the adapter, which may change.
        offered: The packets that came to the capture and were taken or lost since then, without
            those that a filter left out.
        lost: Those of them that the capture or the session lost.
    """

    def __init__(self, session: str, adapter: UUID, name: str) -> None:
        self.session = session
        self.adapter = adapter
        self.name = name
        self.offered = 0
        self.lost = 0
