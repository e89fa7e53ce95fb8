"""Switch the recorders of sessions, which share one limit of memory."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from wintun_api.choices import EventType, RecorderEnd
from wintun_api.errors import RecorderNotFound, RecordersFull, TooManyReaders
from wintun_api.hub.events import EventLog
from wintun_api.hub.recorder import Recorder, RecorderView
from wintun_api.hub.session import ManagedSession

logger = logging.getLogger(__name__)

# So many clients can read recorders at a time. What a recorder drops while it is read stays in
# memory until the client has it, so each of them can need as much memory as one recorder.
MAX_READERS: Final = 4


class Recorders:
    """Switch the recorders of the service. Event loop thread only.

    What all of them use stays below one limit: a recorder takes its own limit from it, and after
    its session has ended only what it has. These ended ones give way to a new one, oldest first.

    Args:
        sessions: The sessions of now, in the order in which they started; iterated each time.
        limit_bytes: The memory that all recorders may use together.
        events: Where a recorder that is switched is published.

    Attributes:
        given_way: How many recorders of ended sessions were deleted to make room.
        readers: How many clients read a recorder now.
    """

    def __init__(
        self, sessions: Iterable[ManagedSession], limit_bytes: int, events: EventLog
    ) -> None:
        self.limit_bytes = limit_bytes
        self.given_way = 0
        self.readers = 0
        self._sessions = sessions
        self._events = events

    @property
    def reserved(self) -> int:
        """The bytes that all recorders may come to use now."""
        return sum(recorder.reserved for _, recorder in self._all())

    def of(self, session: ManagedSession) -> Recorder:
        """Return the recorder of a session.

        Raises:
            RecorderNotFound: It has none.
        """
        if session.recorder is None:
            raise RecorderNotFound(session.id)
        return session.recorder

    def set(self, session: ManagedSession, seconds: float, limit_bytes: int) -> RecorderView:
        """Switch the recorder of a session on, or change its limits and keep what fits.

        Raises:
            SessionEnded: The session has ended or is ending.
            RecordersFull: The recorders would use more memory than they may.
        """
        session.require_open()
        known = session.recorder
        self._make_room(limit_bytes - (0 if known is None else known.reserved))
        if known is None:
            known = Recorder(
                session.id,
                session.adapter,
                seconds,
                limit_bytes,
                fail=lambda: self._fail(session),
            )
            session.record(known)
        else:
            known.resize(seconds, limit_bytes)
        view = known.view()
        self._events.publish(EventType.RECORDER_SET, view)
        return view

    def remove(self, session: ManagedSession) -> RecorderView:
        """Switch the recorder of a session off, delete what it has, and return what that was.

        Raises:
            RecorderNotFound: It has none.
        """
        return self._remove(session, RecorderEnd.REQUEST)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count a client that reads a recorder.

        Raises:
            TooManyReaders: There are as many as there can be.
        """
        if self.readers >= MAX_READERS:
            raise TooManyReaders(MAX_READERS)
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1

    def _all(self) -> list[tuple[ManagedSession, Recorder]]:
        return [(one, one.recorder) for one in self._sessions if one.recorder is not None]

    def _make_room(self, wanted: int) -> None:
        """Delete recorders of ended sessions, if that is enough for as many bytes more."""
        everything = self._all()
        ended = [(session, recorder) for session, recorder in everything if session.state.over]
        room = self.limit_bytes - sum(recorder.reserved for _, recorder in everything)
        if wanted > room + sum(recorder.reserved for _, recorder in ended):
            raise RecordersFull(self.limit_bytes, self.limit_bytes - room)
        for session, recorder in ended:
            if wanted <= room:
                break
            room += recorder.reserved
            self.given_way += 1
            self._remove(session, RecorderEnd.ROOM)

    def _fail(self, session: ManagedSession) -> None:
        if session.recorder is not None:
            logger.error("The recorder of session %s failed and was switched off.", session.id)
            self._remove(session, RecorderEnd.FAILURE)

    def _remove(self, session: ManagedSession, reason: RecorderEnd) -> RecorderView:
        recorder = self.of(session)
        view = replace(recorder.view(), removed=reason)
        session.record(None)
        self._events.publish(EventType.RECORDER_REMOVED, view)
        return view
