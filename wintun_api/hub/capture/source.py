"""One session in a capture."""

from __future__ import annotations

from uuid import UUID


class Source:
    """Hold what a capture knows of one session. Event loop thread only.

    Attributes:
        session: The id of the session.
        adapter: The GUID of its adapter.
        name: The name of the adapter, which may change.
    """

    def __init__(self, session: str, adapter: UUID, name: str) -> None:
        self.session = session
        self.adapter = adapter
        self.name = name
