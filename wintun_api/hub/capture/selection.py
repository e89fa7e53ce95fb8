"""Choose the adapters of a capture."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Selection:
    """Choose adapters: some by GUID, those of a pool, or all of them.

    Attributes:
        adapters: The GUIDs; None if they are not chosen by GUID.
        pool: The pool; None if they are not chosen by pool.
    """

    adapters: frozenset[UUID] | None = None
    pool: str | None = None

    def has(self, guid: UUID, pool: str) -> bool:
        """Return whether an adapter of this GUID and pool is chosen."""
        if self.adapters is not None:
            return guid in self.adapters
        return self.pool is None or self.pool == pool
