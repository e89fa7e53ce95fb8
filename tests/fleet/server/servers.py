"""A real nats-server for tests, with the configuration that `wintun-api bus` makes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from tests.needs import NOT_INSTALLED, leave_out
from tests.waiting import PATIENCE, until
from wintun_api.fleet.keys.identity import Identity, KeyLine, check_certificates
from wintun_api.fleet.keys.rights import Role, inbox
from wintun_api.fleet.network import Network, Prefix
from wintun_api.fleet.problems import ServerMissing
from wintun_api.fleet.server import administration, issuing
from wintun_api.fleet.server.laboratory import Laboratory
from wintun_api.fleet.server.log import READY
from wintun_api.fleet.server.plan import MIB, Bounds, Listening, Plan, PlannedNetwork
from wintun_api.fleet.server.program import Program, find_program

LAB = Network("lab")
BOUNDS = Bounds(captures_bytes=8 * MIB)


P = ParamSpec("P")


def looped(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in an event loop of its own, for a limited time."""

    @wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), PATIENCE))

    return run


def need_server() -> Program:
    """Return the nats-server, or leave the test out where there is none."""
    try:
        return find_program()
    except ServerMissing:
        leave_out(f"{NOT_INSTALLED}nats-server")
        raise


def free_port(address: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing uses now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as found:
        found.bind((address, 0))
        return int(found.getsockname()[1])


def plan_of(listening: Listening, *networks: Network) -> Plan:
    """Return the plan of a server with these networks."""
    planned = tuple(PlannedNetwork(one, Identity.make()) for one in networks or (LAB,))
    return Plan("wintun-api-test", listening, BOUNDS, Identity.make(), planned)


@dataclass
class Server:
    """A server that runs.

    Attributes:
        laboratory: Its data directory.
        process: The process of nats-server.
        hosts: Keys of hosts that were made before, for tests that need any.
    """

    laboratory: Laboratory
    process: subprocess.Popen[bytes]
    hosts: list[KeyLine] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """What it is now."""
        return self.laboratory.plan()

    @property
    def keeper(self) -> KeyLine:
        """The key of the first network's keeper."""
        first = self.plan.networks[0]
        return KeyLine(
            first.network,
            (self.plan.listening.own_url,),
            first.keeper,
            self.laboratory.trusted(self.plan),
        )

    async def two_hosts(self) -> tuple[KeyLine, KeyLine]:
        """Return the keys of two hosts, the same ones every time."""
        while len(self.hosts) < 2:
            self.hosts.append(await self.issue())
        return self.hosts[0], self.hosts[1]

    async def issue(
        self,
        role: Role = Role.HOST,
        *,
        network: Network = LAB,
        name: str = "",
        prefixes: tuple[Prefix, ...] = (),
    ) -> KeyLine:
        """Make a key."""
        return await issuing.issue(
            self.laboratory, network.name, role=role, name=name, prefixes=prefixes
        )


@contextmanager
def serving(path: Path, plan: Plan | None = None) -> Iterator[Server]:
    """Run a server until the end of the context."""
    program, laboratory = need_server(), Laboratory(path)
    plan = plan or plan_of(Listening(port=free_port()))
    laboratory.prepare()
    log = path / "log"
    with laboratory.running(plan.listening.own_url), log.open("wb") as written:
        if plan.listening.tls:
            laboratory.write_certificate(plan)
        laboratory.write(plan)
        process = subprocess.Popen(
            [program.path, "-c", laboratory.configuration], stderr=written, stdin=subprocess.DEVNULL
        )
        try:
            until(lambda: READY in log.read_text("utf-8") or process.poll() is not None)
            assert process.poll() is None, log.read_text("utf-8")
            asyncio.run(administration.prepare_all(plan, laboratory.trusted(plan)))
            yield Server(laboratory, process)
        finally:
            process.terminate() if sys.platform != "win32" else process.kill()
            process.wait()


@dataclass
class Stranger:
    """A client that does what it likes, with a valid key; what the server refuses is noted.

    Attributes:
        client: The connection of nats-py.
        refused: What the server has refused, in its own words and small letters.
    """

    client: Any
    refused: list[str] = field(default_factory=list)

    async def aclose(self) -> None:
        """End the connection, with its socket, which the event loop closes a little later."""
        await self.client.close()
        for _ in range(5):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Wait until the server has done, or refused, everything that was sent before."""
        await self.client.flush()  # nats-py sends this ping before what it has not sent yet
        await self.client.flush()

    async def publish(self, subject: str, data: bytes = b"", **more: Any) -> bool:
        """Publish; return whether the server allowed it."""
        before = len(self.refused)
        await self.client.publish(subject, data, **more)
        await self.settle()
        return len(self.refused) == before

    async def subscribe(self, subject: str, take: Callable[[Any], None] | None = None) -> bool:
        """Subscribe; return whether the server allowed it."""
        before = len(self.refused)

        async def came(message: Any) -> None:
            if take is not None:
                take(message)

        await self.client.subscribe(subject, cb=came)
        await self.settle()
        return len(self.refused) == before


@asynccontextmanager
async def strangers(*lines: KeyLine) -> AsyncIterator[list[Stranger]]:
    """Connect with some keys."""
    made: list[Stranger] = []
    try:
        for line in lines:
            made += [await connected(line)]
        yield made
    finally:
        for one in made:
            await one.aclose()


async def connected(line: KeyLine, **more: Any) -> Stranger:
    """Connect with a key."""
    import nats

    refused: list[str] = []

    async def failed(error: Exception) -> None:
        refused.append(str(error).lower())

    options: dict[str, Any] = {
        "nkeys_seed_str": line.identity.seed.decode(),
        "inbox_prefix": inbox(line.identity.host),
        "allow_reconnect": False,
        "error_cb": failed,
        "tls": None if line.ca is None else check_certificates(line.ca),
    }
    client = await nats.connect(line.servers[0], **{**options, **more})
    return Stranger(client, refused)


def elsewhere(line: KeyLine, *servers: str) -> KeyLine:
    """Return the same key for other servers."""
    return replace(line, servers=servers)
