"""What was begun for a request that did not wait for its end, and failed then."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from wintun_api.errors import WintunApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFailure:
    """An operation that failed after its request was answered with 504.

    Attributes:
        operation: Its name, as in the answer.
        error: What became of it. Its traceback has been taken away: it would keep frames alive.
        adapter: The GUID of the adapter it was for; None where there is none yet.
        name: Of the adapter, where it was to be made or opened.
        pool: Likewise.
    """

    operation: str
    error: WintunApiError
    adapter: UUID | None = None
    name: str | None = None
    pool: str | None = None

    def __post_init__(self) -> None:
        self.error.__traceback__ = self.error.__context__ = self.error.__cause__ = None
