"""Hold the adapters that are known, and reconcile them with what a driver lists.

Pure and synchronous: nothing here waits, calls a driver or publishes an event. The registry acts on
the returned difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from wintun_api.drivers.base import AdapterInfo
from wintun_api.hub.adapters import ManagedAdapter


@dataclass(frozen=True, slots=True)
class Difference:
    """Describe how a list differs from what was known before.

    Attributes:
        created: Adapters that were not known, in the order of the list.
        changed: Adapters whose reading has changed, in the order of the list.
        gone: Adapters that are not on the list, in the order in which they became known. The table
            does not have them any more.
    """

    created: tuple[ManagedAdapter, ...]
    changed: tuple[ManagedAdapter, ...]
    gone: tuple[ManagedAdapter, ...]


class AdapterTable:
    """Hold each known adapter once, by GUID, in the order in which they became known."""

    def __init__(self) -> None:
        self._known: dict[UUID, ManagedAdapter] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[ManagedAdapter]:
        """Iterate over the adapters known now; the table may change meanwhile."""
        return iter(list(self._known.values()))

    def __contains__(self, guid: object) -> bool:
        return guid in self._known

    def find(self, guid: UUID) -> ManagedAdapter | None:
        """Return the adapter with this GUID; None if it is not known."""
        return self._known.get(guid)

    def pool_of(self, guid: UUID) -> str:
        """Return the pool of the adapter with this GUID; empty if it is not known."""
        known = self._known.get(guid)
        return "" if known is None else known.info.pool

    def named(self, name: str, pool: str) -> ManagedAdapter | None:
        """Return the adapter of this name, in any case of its letters, in this pool."""
        for known in self._known.values():
            if known.info.name.casefold() == name.casefold() and known.info.pool == pool:
                return known
        return None

    def members(self, pool: str | None) -> list[ManagedAdapter]:
        """Return the adapters of a pool; None means every pool."""
        return [known for known in self if pool is None or known.info.pool == pool]

    def add(self, info: AdapterInfo) -> ManagedAdapter:
        """Add an adapter, whose GUID must not be known, and return it."""
        known = self._known[info.guid] = ManagedAdapter(info)
        return known

    def remove(self, known: ManagedAdapter) -> bool:
        """Remove an adapter; return whether the table had it, and not another of its GUID."""
        if self._known.get(known.info.guid) is not known:
            return False
        del self._known[known.info.guid]
        return True

    def reconcile(self, listed: Iterable[AdapterInfo], pool: str | None = None) -> Difference:
        """Take over a list, and return how it differs from what was known.

        An adapter that is in use (`ManagedAdapter.in_use`) stays even if it is not listed: what
        uses it finds out by itself that it is gone.

        Args:
            listed: The readings; of two with the same GUID the last one counts.
            pool: The pool that was listed; adapters of other pools stay. None means every pool.
        """
        infos = {info.guid: info for info in listed}
        created: list[ManagedAdapter] = []
        changed: list[ManagedAdapter] = []
        for info in infos.values():
            known = self._known.get(info.guid)
            if known is None:
                created.append(self.add(info))
            elif known.info != info:
                known.info = info
                changed.append(known)
        gone = [
            known
            for known in self.members(pool)
            if known.info.guid not in infos and not known.in_use
        ]
        for known in gone:
            self.remove(known)
        return Difference(tuple(created), tuple(changed), tuple(gone))
