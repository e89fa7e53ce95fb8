"""Publish the outcome of an operation whose request had stopped waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from wintun_api.choices import EventType
from wintun_api.errors import WintunApiError
from wintun_api.hub.events import EventLog

OnFailure: TypeAlias = Callable[[WintunApiError], None]
OnDone: TypeAlias = Callable[[Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRemoval:
    """A removal that succeeded after its request was answered with 504.

    Attributes:
        operation: Its name, as in the answer.
        reboot_required: Whether the system needs a reboot to finish it.
        adapter: The GUID of the adapter that was removed; None if it was not an adapter.
        pool: The pool that was removed; None if it was not a pool.
    """

    operation: str
    reboot_required: bool
    adapter: UUID | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFailure:
    """Describe an operation that failed after its request was answered with 504, or without one.

    Attributes:
        operation: Its name, as in the answer.
        error: Its error, without the traceback, which would keep frames alive.
        adapter: The GUID of its adapter; None if there was none yet.
        name: The name of the adapter that was to be created or opened.
        pool: The pool of that adapter.
    """

    operation: str
    error: WintunApiError
    adapter: UUID | None = None
    name: str | None = None
    pool: str | None = None

    def __post_init__(self) -> None:
        self.error.__traceback__ = self.error.__context__ = self.error.__cause__ = None


class LateOutcomes:
    """Make the functions that publish outcomes; each is called once, when the operation ends."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    def creation_failed(self, name: str, pool: str) -> OnFailure:
        """Return a function that publishes that an adapter was not created."""

        def publish(error: WintunApiError) -> None:
            failure = LateFailure(operation="create_adapter", error=error, name=name, pool=pool)
            self._events.publish(EventType.ADAPTER_CREATE_FAILED, failure)

        return publish

    def failed(
        self,
        operation: str,
        adapter: UUID | None = None,
        *,
        name: str | None = None,
        pool: str | None = None,
    ) -> OnFailure:
        """Return a function that publishes that an operation failed."""

        def publish(error: WintunApiError) -> None:
            failure = LateFailure(
                operation=operation, error=error, adapter=adapter, name=name, pool=pool
            )
            self._events.publish(EventType.OPERATION_FAILED, failure)

        return publish

    def removed(
        self, operation: str, adapter: UUID | None = None, *, pool: str | None = None
    ) -> OnDone:
        """Return a function that publishes that a removal succeeded."""

        def publish(reboot_required: bool) -> None:
            removal = LateRemoval(
                operation=operation, reboot_required=reboot_required, adapter=adapter, pool=pool
            )
            self._events.publish(EventType.OPERATION_DONE, removal)

        return publish
