"""`wintun-api clients` against a real service: who is connected, and how that is ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.host import closed_code
from tests.cli.captures import made
from tests.cli.conftest import Cli
from tests.raw_websocket import open_websocket
from tests.running import RunningService
from wintun_api.wire import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection


@contextmanager
def connected(service: RunningService, session: str) -> Iterator[ClientConnection]:
    """Give a packet socket that is open."""
    with open_websocket(service, f"/v1/sessions/{session}/packets", BATCH) as socket:
        socket.recv(30)
        yield socket


def test_what_people_read(cli: Cli, service: RunningService, session: str) -> None:
    """A client is a row with its token, its adapter and its losses."""
    assert cli("clients", "list").stderr == "No client has a stream open.\n"
    with connected(service, session):
        head, row = cli("clients", "list").stdout.splitlines()
        assert head.split()[:5] == ["Id", "Kind", "Token", "Address", "Adapter"]
        assert row.split()[1:5] == ["packets", "admin", "127.0.0.1", "Lab"]
        assert row.endswith("none")


def test_a_client_is_disconnected(cli: Cli, service: RunningService, session: str) -> None:
    """The beginning of an id is enough; the socket is closed with 4002."""
    with connected(service, session) as socket:
        (one,) = made(cli("clients", "list", "--json"))
        assert cli("clients", "disconnect", one["id"][:6]).stdout == "Disconnected.\n"
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(30)
        assert closed_code(closed) == 4002
        assert cli("clients", "disconnect", one["id"]).exit_code == 5


def test_what_programs_read(cli: Cli, service: RunningService, session: str) -> None:
    """With --json there are the ids that were disconnected."""
    with connected(service, session):
        (client,) = cli("clients", "list", "-q").stdout.split()
        assert made(cli("clients", "disconnect", client, "--json")) == {"disconnected": [client]}
