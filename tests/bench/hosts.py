"""Two hosts: a namespace for each, with a device of the benchmark in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.bench import Bench
from tests.bench.contenders import Contender
from tests.bench.machine import MTU
from tests.bench.programs import Running
from tests.bench.python_client import BURSTS
from tests.drivers.linux.kernel import ip


@dataclass(frozen=True, slots=True)
class Hosts:
    """Two namespaces that reach each other.

    Attributes:
        name: What is between them.
        one: The first namespace.
        other: The second one.
        address: Of the second one, 10.98.SUBNET.2.
        pids: The processes whose CPU time counts.
        bridge: The client that joins them.
    """

    name: str
    one: str
    other: str
    address: str
    pids: tuple[int, ...] = ()
    bridge: tuple[int, ...] = ()


@contextmanager
def _namespace() -> Iterator[str]:
    name = f"bench-{os.getpid()}-{uuid4().hex[:8]}"  # so that one sees whose it is
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        ip("netns", "del", name)


@contextmanager
def apart(devices: list[str], subnet: int) -> Iterator[list[str]]:
    """Put each device into a namespace of its own and give it an address."""
    with _namespace() as one, _namespace() as other:
        for number, (name, device) in enumerate(zip((one, other), devices, strict=True), 1):
            ip("link", "set", device, "netns", name)
            ip("-n", name, "addr", "flush", "dev", device)
            ip("-n", name, "addr", "add", f"10.98.{subnet}.{number}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up", "mtu", str(MTU))
        yield [one, other]


@contextmanager
def joined(
    bench: Bench, name: str, pair: list[Contender], subnet: int, *, in_python: bool = False
) -> Iterator[Hosts]:
    """Join two adapters with a client, each in a namespace of its own."""
    with apart([one.device for one in pair], subnet) as (one, other):
        client = _python_bridge(bench, pair) if in_python else _bridge(bench, pair)
        try:
            pids = tuple({end.pid for end in pair})
            yield Hosts(name, one, other, f"10.98.{subnet}.2", pids, (client.pid,))
            client.stop()
        finally:
            client.end()


def _bridge(bench: Bench, pair: list[Contender]) -> Running:
    ends = [value for one in pair for value in (one.port, one.path)]
    return bench.programs.start("bridge", pair[0].headers, *ends, ready="open")


def _python_bridge(bench: Bench, pair: list[Contender]) -> Running:
    (url, path), other = ((f"http://127.0.0.1:{one.port}", one.path) for one in pair)
    command = [
        sys.executable, "-m", "tests.bench.python_client", "bridge", url, path, pair[0].headers,
        BURSTS, *other,
    ]  # fmt: skip
    return Running([*bench.programs.prefix, *command], "open")


def inside(namespace: str, command: list[str]) -> list[str]:
    """Return the command that runs another one in a namespace."""
    return ["ip", "netns", "exec", namespace, *command]
