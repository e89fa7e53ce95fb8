"""Hold one adapter of the registry: its last reading, its handle, its session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from wintun_api.drivers.base import Adapter, AdapterInfo
from wintun_api.hub.network import NetworkSettings, Unmet, unmet
from wintun_api.hub.session import ManagedSession
from wintun_api.hub.threads import DriverThread


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterView:
    """Describe an adapter as the registry knows it.

    Attributes:
        info: The last reading from the operating system.
        managed: Whether the service holds a handle of it.
        session: The id of its session; None while it has none.
        reboot_required: Whether a reboot is required after creating it.
        wanted: How it differs from what the service was asked for; None if it does not.
    """

    info: AdapterInfo
    managed: bool
    session: str | None
    reboot_required: bool = False
    wanted: Unmet | None = None

    @property
    def up(self) -> bool:
        """Whether its link is up; where the driver cannot tell, whether a session runs."""
        running = self.info.running
        return self.session is not None if running is None else running


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Cache the result of comparing a reading with the requested settings."""

    read: AdapterInfo
    asked: NetworkSettings
    shown: AdapterInfo
    unmet: Unmet | None


@dataclass(eq=False, slots=True)
class ManagedAdapter:
    """Manage an adapter that the registry knows. Operations take `lock`, so they run in turn.

    Attributes:
        operation: The operation that holds the lock: its name and start (`time.monotonic`).
        thread: The thread for the calls of its last session.
    """

    info: AdapterInfo
    handle: Adapter | None = None
    session: ManagedSession | None = None
    wanted: NetworkSettings = field(default_factory=NetworkSettings)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    operation: tuple[str, float] | None = None
    thread: DriverThread | None = None
    _compared: _Comparison | None = None

    @property
    def running_session(self) -> ManagedSession | None:
        """The session, unless it has ended."""
        if self.session is None or self.session.state.over:
            return None
        return self.session

    @property
    def in_use(self) -> bool:
        """Whether an operation or a session is at work on it."""
        return self.lock.locked() or self.running_session is not None

    @property
    def managed(self) -> bool:
        """Whether the service holds a handle of it."""
        return self.handle is not None

    async def end_session(self, reason: str) -> None:
        """End the session if one runs; the reason is a sentence for its clients."""
        session = self.running_session
        if session is not None:
            await session.end(reason)

    def view(self) -> AdapterView:
        """Return the present view of the adapter."""
        session = self.running_session
        compared = self._compared
        # Comparing thousands of routes takes time, and readers are more frequent than changes.
        if compared is None or compared.read is not self.info or compared.asked is not self.wanted:
            shown = self.wanted.completed(self.info)
            compared = _Comparison(self.info, self.wanted, shown, unmet(self.wanted, shown))
            self._compared = compared
        return AdapterView(
            info=compared.shown,
            managed=self.managed,
            session=session.id if session else None,
            reboot_required=self.handle.reboot_required if self.handle else False,
            wanted=compared.unmet,
        )
