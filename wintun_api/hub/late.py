"""Describe the outcome of an operation whose request had stopped waiting for it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from wintun_api.errors import WintunApiError


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
    """Describe an operation that failed after its request was answered with 504.

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
