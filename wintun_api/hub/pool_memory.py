"""Keep the known pools in step with the adapters that are created and deleted.

A pool is on the disk before its first adapter exists, and is forgotten with its last one. A disk
may be slow, so the writing runs on another thread; writes begin in the order of the requests.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from wintun_api.errors import OutOfThreads
from wintun_api.hub.aside import aside
from wintun_api.hub.pools import KnownPools


class PoolMemory:
    """Remember and forget pools. Event loop thread only.

    Args:
        pools: The pools known now.
        used: Returns whether a pool has an adapter.
    """

    def __init__(self, pools: KnownPools, used: Callable[[str], bool]) -> None:
        self._pools = pools
        self._used = used
        self._creating: Counter[str] = Counter()  # adapters being created, by pool
        self._forgetting: set[str] = set()
        # Two threads could write in either order, so each waits for the previous one.
        self._writing = asyncio.Lock()

    @property
    def names(self) -> list[str]:
        """The names of the pools in alphabetical order."""
        return self._pools.names

    @contextmanager
    def creating(self, pool: str) -> Iterator[None]:
        """Keep a pool from being forgotten while an adapter is created in it."""
        self._creating[pool] += 1
        try:
            yield
        finally:
            self._creating[pool] -= 1
            if not self._creating[pool]:
                del self._creating[pool]

    async def remember(self, pool: str, consequence: str) -> None:
        """Return when a pool is on the disk.

        Args:
            pool: The pool.
            consequence: The beginning of the message if it fails, without its full stop.

        Raises:
            StorageFailed: The pool could not be written.
        """
        if pool in self._forgetting or not self._pools.knows(pool):
            async with self._writing:
                await aside("pools", partial(self._pools.add, pool, consequence))

    async def forget(self, pool: str) -> None:
        """Forget a pool, unless it has adapters or is about to get one."""
        if self._creating[pool] or self._used(pool):
            return
        self._forgetting.add(pool)
        try:
            async with self._writing:
                if not self._creating[pool]:  # one may have come while another write was running
                    with suppress(OutOfThreads):
                        await aside("pools", partial(self._pools.forget, pool))
        finally:
            self._forgetting.discard(pool)
