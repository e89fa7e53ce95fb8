"""A client for one of many agents that share a service, as if it had the service for itself."""

from __future__ import annotations

from wintun_api.client import AsyncClient
from wintun_api.schemas.adapters import Adapter
from wintun_api.schemas.sessions import Session


class OneAdapter(AsyncClient):
    """A client of a service that has one adapter, as far as its agent sees."""

    def __init__(self, url: str, *, token: str, guid: str) -> None:
        super().__init__(url, token=token)
        self._guid = guid

    async def list_adapters(self, *, pool: str | None = None) -> list[Adapter]:
        """Return this adapter."""
        return [await self.get_adapter(self._guid)]

    async def list_sessions(self) -> list[Session]:
        """Return the session of this adapter."""
        session = (await self.get_adapter(self._guid)).session
        return [] if session is None else [await self.get_session(session)]
