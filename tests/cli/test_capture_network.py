"""`capture --network` on a real server: agents capture, commands read, tshark looks at the file."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.capture import capinfos, tshark
from tests.cli.commands import COMMAND, PATIENCE, Program, environment, invoke
from tests.fleet.running import A, B
from tests.fleet.server.servers import serving
from tests.fleet.sites import Site, ping
from tests.libpcap import need_libpcap
from tests.running import TOKEN
from tests.waiting import until
from wintun_api.fleet.keys.identity import KeyLine, write_key
from wintun_api.fleet.keys.rights import Role

FIELDS = ("frame.interface_name", "ip.src", "icmp.type", "icmp.seq")


@dataclass(frozen=True)
class Network:
    """A server and two hosts that have joined, and capture.

    Attributes:
        path: A folder for files.
        ann: The first host.
        bob: The second host.
        ids: The ids of the hosts.
        key: The file with the key of a reader.
        host_key: The file with the key of a host.
    """

    path: Path
    ann: Site
    bob: Site
    ids: tuple[str, str]
    key: Path
    host_key: Path

    def arguments(self, *more: str) -> list[str]:
        """Return the arguments of a reader."""
        return ["capture", "--network", "lab", "--key", str(self.key), *more]

    def capture(self, *more: str) -> subprocess.CompletedProcess[bytes]:
        """Capture until the end."""
        return subprocess.run(
            [*COMMAND, *self.arguments(*more)],
            env=environment(self.path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def exchange(self, first: int, last: int) -> None:
        """Let Ann ping Bob, and wait until she has the answers."""
        for number in range(first, last + 1):
            before = self.ann.injected()
            assert self.ann.send(ping(self.ann, self.bob, number))
            until(lambda before=before: self.ann.injected() > before)  # type: ignore[misc]


@contextmanager
def joined(path: Path, site: Site, name: str, key: Path) -> Iterator[None]:
    """Run an agent that captures, from when it exchanges packets."""
    join = ("join", "lab", "--adapter", "Lab", "--name", name, "--capture", "--key", str(key))
    reached = {"WINTUN_API_URL": site.service.url, "WINTUN_API_TOKEN": TOKEN}
    agent = Program(path / f"agent-{name}", *join, "--data-dir", str(path / name), **reached)
    try:
        agent.wait_for("Packets are exchanged")
        yield
    finally:
        agent.end()
        agent.close()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Two hosts that reach each other."""
    path = tmp_path_factory.mktemp("network")

    def key_file(name: str, line: KeyLine) -> Path:
        write_key(path / f"{name}.key", line)
        return path / f"{name}.key"

    with ExitStack() as stack:
        server = stack.enter_context(serving(path / "bus"))
        lines = asyncio.run(server.two_hosts())
        reader = asyncio.run(server.issue(Role.READER))
        sites, keys = [], []
        for host, name, line in zip((A, B), ("ann", "bob"), lines, strict=True):
            site = Site(path / name, host)
            stack.callback(site.stop)
            keys.append(key_file(name, line))
            stack.enter_context(joined(path, site, name, keys[-1]))
            sites.append(site)
        ann, bob = sites
        made = Network(
            path,
            ann,
            bob,
            (lines[0].identity.host, lines[1].identity.host),
            key_file("reader", reader),
            keys[0],
        )

        def reached() -> bool:
            ann.send(ping(ann, bob, 999))
            return ann.injected() > 0

        until(reached)
        yield made


def crossings(*numbers: int) -> list[list[str]]:
    """Return what happens to pings: they leave Ann, reach Bob, and the answers come back."""
    return [
        [f"{name}/Lab", source, kind, str(number)]
        for number in numbers
        for name, source, kind in (
            ("ann", "10.7.0.1", "8"),
            ("bob", "10.7.0.1", "8"),
            ("bob", "10.7.0.2", "0"),
            ("ann", "10.7.0.2", "0"),
        )
    ]


@tshark.needs_tshark
def test_what_was_is_one_file(network: Network, tmp_path: Path) -> None:
    """Each ping is there four times, as it crossed the network, with an interface for each host."""
    network.exchange(1, 5)
    path = tmp_path / "all.pcapng"

    def captured() -> bool:
        done = network.capture("--since", "-60s", "--until", "-0ms", "-w", str(path))
        assert done.returncode == 0, done.stderr
        return crossings(5)[-1] in tshark.rows(path, *FIELDS)[0]

    until(captured)
    found, complaints = tshark.rows(path, *FIELDS)
    assert [row for row in found if row[3] != "999"] == crossings(1, 2, 3, 4, 5)
    assert complaints == ""
    info = capinfos.info_of(path)
    assert (info.interfaces, info.statistics) == (2, 2)
    times = [frame.time_ns for frame in tshark.read(path)]
    assert times == sorted(times)
    for host in network.ids:
        assert f"host {host}; its clock was ".encode() in path.read_bytes()


@tshark.needs_tshark
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_comes_is_written_until_a_signal(
    network: Network, tmp_path: Path, number: signal.Signals
) -> None:
    """The file is whole at the end, with all packets until then."""
    path = tmp_path / "live.pcapng"
    process = subprocess.Popen(
        [*COMMAND, *network.arguments("-w", str(path))],
        env=environment(network.path),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: path.exists() and path.stat().st_size > 0)
        network.exchange(11, 12)
        until(lambda: len(tshark.read(path)) >= 8)
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 128 + number, err
    assert b"8 packets captured" in err
    assert tshark.rows(path, *FIELDS) == (crossings(11, 12), "")
    assert capinfos.info_of(path).statistics == 2


@tshark.needs_tshark
@pytest.mark.parametrize("by", ["name", "id"])
def test_a_host_and_a_filter_are_chosen(network: Network, tmp_path: Path, by: str) -> None:
    """Only one host, and only what the filter lets through; the file names the filter."""
    need_libpcap()
    network.exchange(21, 21)
    host = "bob" if by == "name" else network.ids[1]
    path = tmp_path / "some.pcapng"
    options = ("--host", host, "-f", "icmp[icmptype] == icmp-echoreply", "-w", str(path))

    def captured() -> bool:
        done = network.capture("--since", "-60s", "--until", "-0ms", *options)
        assert done.returncode == 0, done.stderr
        return "21" in [row[3] for row in tshark.rows(path, *FIELDS)[0]]

    until(captured)
    found, _ = tshark.rows(path, *FIELDS)
    assert {tuple(row[:3]) for row in found} == {("bob/Lab", "10.7.0.2", "0")}
    assert b"icmp[icmptype] == icmp-echoreply" in path.read_bytes()


def test_packets_are_lines_or_objects(network: Network) -> None:
    """Each names the host and its adapter."""
    network.exchange(31, 31)
    done = network.capture("--since", "-60s", "--json", "-c", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["interface"] in ("ann/Lab", "bob/Lab")
    done = network.capture("--since", "-60s", "-c", "3")
    assert b" received 10.7.0.1 > 10.7.0.2 ICMP: echo request" in done.stdout
    assert done.stderr.startswith(b"3 packets captured")


def test_a_host_that_has_not_joined_is_named(network: Network) -> None:
    """Its name may be wrong, and it may have left captures."""
    done = network.capture("--host", "carl", "--since", "-1s", "--until", "-0ms")
    assert done.returncode == 0
    assert b"No host called carl has joined now" in done.stderr


def test_the_key_of_a_host_reads_no_captures(network: Network) -> None:
    """The server refuses it, and the sentence says what to do."""
    done = replace(network, key=network.host_key).capture("--since", "-1s")
    assert done.returncode == 4
    assert done.stderr.decode().splitlines() == [
        "The key does not allow to read captures.",
        "Make one that does where the bus is: wintun-api join keys --network lab --role reader",
    ]


def test_a_wrong_filter_has_a_mark(network: Network) -> None:
    """As where a service compiles it."""
    need_libpcap()
    done = network.capture("-f", "tcp prot 80")
    assert done.returncode == 2
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("The filter is not valid at character 5")
    assert lines[1:3] == ["  tcp prot 80", "      ^"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("OfficeNet", "--network", "lab"), "cannot be used with sessions"),
        (("--all", "--network", "lab"), "cannot be used with sessions"),
        (("--all", "--host", "ann"), "belong to --network"),
        (("--all", "--until", "-1s"), "belong to --network"),
        (("--all", "--key", "x"), "belong to --network"),
        (("--network", "lab", "--marks"), "Leave them out."),
        (("--network", "lab", "--tap", "before"), "Leave them out."),
        (("--network", "Lab!"), "not the name of a network"),
        (("--network", "lab", "--since", "-1s", "--until", "-9s", "--key", "/nonexistent"), "read"),
    ],
)
def test_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """What does not go together is refused before anything is connected."""
    found: Any = invoke("capture", *arguments, HOME=str(tmp_path))
    assert found.exit_code != 0
    assert said in found.stderr
