"""A service for the tests of one process, which gives them adapters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wintun_api.testing.adapter import TunAdapter, make_adapter
from wintun_api.testing.process import ServiceProcess


class TunService(ServiceProcess):
    """A service that runs while tests need it, and makes adapters. `tun_service` gives it."""

    @contextmanager
    def adapter(self, **settings: Any) -> Iterator[TunAdapter]:
        """Give an adapter with its own name and subnet, and delete it afterwards.

        Args:
            settings: Further settings of the adapter, as `Client.create_adapter` takes them.

        Raises:
            ProblemError: The service refuses it.
        """
        subnet = self.subnets.take()
        try:
            with make_adapter(self, subnet, **settings) as adapter:
                yield adapter
        finally:
            self.subnets.give_back(subnet)
