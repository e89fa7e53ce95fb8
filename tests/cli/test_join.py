"""`wintun-api join NETWORK` and `hosts`: what they say, how they end, and what they refuse."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import COMMAND, Program, environment, invoke
from tests.cli.conftest import Start
from tests.disk import mounted, mounts
from tests.fleet.server.servers import Server, serving
from tests.libpcap import need_libpcap
from tests.running import TOKEN, RunningService
from tests.waiting import PATIENCE, until
from wintun_api.choices import Scope
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.client import Client
from wintun_api.fleet.keys.identity import write_key
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.network import Network

pytest.importorskip("nats", reason="not installed: nats")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A bus with the network lab."""
    with serving(tmp_path / "bus") as made:
        yield made


class Lab:
    """A bus and a service with two adapters, and the commands that join them."""

    def __init__(self, path: Path, server: Server, service: RunningService, start: Start) -> None:
        self.path = path
        self.server = server
        self.service = service
        self.start = start
        for number in (1, 2):
            service.adapter(name=f"L{number}", addresses=[f"10.7.{number}.1/24"])
        self.fleet = (
            *("--data-dir", str(path / "agents")),
            *("--bus-data-dir", str(server.laboratory.path)),
        )

    @property
    def common(self) -> tuple[str, ...]:
        """What every agent is given."""
        return ("--url", self.service.url, *self.fleet)

    def join(self, adapter: str, *more: str) -> Program:
        """Start an agent, and wait until it exchanges packets."""
        program = self.start(
            *("join", "lab", "--adapter", adapter, "--name", f"host-{adapter}", *self.common),
            *more,
            WINTUN_API_TOKEN=TOKEN,
        )
        program.wait_for("Packets are exchanged|service.connected")
        return program

    def hosts(self, *more: str) -> list[dict[str, Any]]:
        """Return what `hosts --json` says."""
        result = invoke("hosts", "--json", *self.fleet, *more)
        assert result.exit_code == 0, result.stderr
        return list(json.loads(result.stdout))


@pytest.fixture
def lab(tmp_path: Path, server: Server, service: RunningService, start: Start) -> Lab:
    """A bus and a service with two adapters."""
    return Lab(tmp_path, server, service, start)


def refused(result: Any, code: ExitCode, *words: str) -> None:
    """See that a command ended with this code, and said these words without a traceback."""
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr)
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_hosts_join_and_leave(lab: Lab) -> None:
    """Each change is a line, `hosts` shows who is there, and a signal ends an agent in order."""
    first, second = lab.join("L1"), lab.join("L2")
    first.wait_for(r"host-L2 \(\w+\) has joined")
    first.wait_for(r"10\.7\.1\.1/32 leads to this host")
    found = lab.hosts()
    assert [one["name"] for one in found] == ["host-L1", "host-L2"]
    assert [one["prefixes"] for one in found] == [["10.7.1.1/32"], ["10.7.2.1/32"]]
    assert {one["attached"] for one in found} == {True}
    table = invoke("hosts", *lab.fleet).stdout
    assert "host-L1" in table
    assert "10.7.2.1/32" in table
    number, code = (
        (signal.SIGINT, ExitCode.INTERRUPTED)
        if sys.platform == "win32"
        else (signal.SIGTERM, ExitCode.TERMINATED)
    )
    assert second.end(number)[0] == code
    assert "has left lab" in second.stdout
    assert "In all runs with this key: 0 packets sent" in second.stderr
    first.wait_for(r"host-L2 \(\w+\) has left\.")
    assert [one["name"] for one in lab.hosts()] == ["host-L1"]
    assert first.end()[0] == ExitCode.INTERRUPTED
    assert lab.hosts() == []


def test_changes_are_documents_with_json(lab: Lab) -> None:
    """Every line is an event as those of a service are, numbered without a gap."""
    program = lab.join("L1", "--json")
    program.wait_for("claim.held")  # which may come after the packets begin to flow
    program.end()
    events = [json.loads(line) for line in program.stdout.splitlines()]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    kinds = [event["type"] for event in events]
    assert kinds[0] == "agent.started"
    assert kinds[-1] == "agent.ended"
    assert {"claim.held", "service.connected"} <= set(kinds)


def test_hosts_are_watched(lab: Lab) -> None:
    """With --watch and --json each change is a line with all hosts."""
    watch = lab.start("hosts", "--watch", "--json", *lab.fleet)
    watch.wait_for(r"^\[\]")
    joined = lab.join("L1")
    watch.wait_for('"name": "host-L1"')
    joined.end()
    assert watch.end()[0] == ExitCode.INTERRUPTED


def test_an_address_that_another_host_has_is_refused(lab: Lab) -> None:
    """The line names the owner; `hosts` shows what was refused."""
    lab.join("L1", "--prefix", "192.168.5.0/24")
    second = lab.join("L2", "--prefix", "192.168.5.128/25")
    second.wait_for(r"192\.168\.5\.128/25 is refused: it belongs to host-L1")
    assert [one["refused"] for one in lab.hosts()] == [[], ["192.168.5.128/25"]]


def test_two_agents_with_one_key_are_told_so(lab: Lab) -> None:
    """The second one on the same machine does not start."""
    lab.join("L1")
    again = invoke("join", "lab", "--adapter", "L1", *lab.common, WINTUN_API_TOKEN=TOKEN)
    refused(again, ExitCode.CONFLICT, "Another agent has joined", "wintun-api join keys")


def test_two_agents_at_one_adapter_are_told_so(lab: Lab, tmp_path: Path) -> None:
    """The second one ends, and says that each needs an adapter; the first one stays."""
    first = lab.join("L1")
    with Client(lab.service.url, token=TOKEN) as client:
        until(lambda: any(each.adapter for one in client.list_networks() for each in one.hosts))
    write_key(tmp_path / "other.key", asyncio.run(lab.server.issue()))
    second = lab.start(
        *("join", "lab", "--adapter", "L1", "--key", str(tmp_path / "other.key"), *lab.common),
        WINTUN_API_TOKEN=TOKEN,
    )
    second.wait_for("An adapter joins one network, with one agent")
    second.wait_for("Create another adapter")
    assert second.process.wait(PATIENCE) == ExitCode.FAILED
    assert first.process.poll() is None


def test_a_key_that_was_copied_joins(lab: Lab) -> None:
    """The file of `join keys` is all that a host needs, and its network is checked."""
    line = asyncio.run(lab.server.issue(name="far"))
    write_key(lab.path / "key", line)
    own = ("--data-dir", str(lab.path / "far"), "--key", str(lab.path / "key"))
    wrong = invoke(
        *("join", "other", "--adapter", "L1", "--url", lab.service.url, *own),
        WINTUN_API_TOKEN=TOKEN,
    )
    refused(wrong, ExitCode.REFUSED, "The key is for the network lab, not for other")
    program = lab.start(
        *("join", "lab", "--adapter", "L1", "--url", lab.service.url, *own),
        WINTUN_API_TOKEN=TOKEN,
    )
    program.wait_for(f"{line.identity.host}.* has joined lab")


@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR])
def test_a_key_that_is_not_for_a_host_is_told(lab: Lab, role: Role) -> None:
    """The command that makes one for a host is in the hint."""
    write_key(lab.path / "key", asyncio.run(lab.server.issue(role)))
    key = ("--key", str(lab.path / "key"))
    result = invoke("join", "lab", "--adapter", "L1", *lab.common, *key, WINTUN_API_TOKEN=TOKEN)
    hint = "wintun-api join keys --network lab"
    refused(result, ExitCode.REFUSED, "was made for a reader or an operator", hint)


def test_a_key_for_some_prefixes_claims_no_others(lab: Lab) -> None:
    """The server refuses the others, and each is told; the host joins with what is left."""
    mine = (ip_network("10.7.1.1/32"),)
    write_key(lab.path / "key", asyncio.run(lab.server.issue(prefixes=mine)))
    key = ("--key", str(lab.path / "key"), "--prefix", "192.168.9.0/24")
    program = lab.join("L1", *key)
    program.wait_for("does not allow this host to claim 192.168.9.0/24")
    program.wait_for("10.7.1.1/32 leads to this host")
    assert [one["prefixes"] for one in lab.hosts()] == [["10.7.1.1/32"]]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("Lab!", "--adapter", "L1"), ExitCode.USAGE, "small letters"),
        (("lab",), ExitCode.USAGE, "--adapter"),
        (("lab", "--adapter", " "), ExitCode.USAGE, "adapters list"),
        (("lab", "--adapter", "L1", "--prefix", "10.0.0.1/8"), ExitCode.USAGE, "--prefix"),
        (("lab", "--adapter", "L1", "--prefix", "224.0.0.0/4"), ExitCode.USAGE, "multicast"),
        (("lab", "--adapter", "L1", "--prefix", "ff02::/16"), ExitCode.USAGE, "ff02::/16"),
        (("lab", "--adapter", "L1", "--prefix", "127.0.0.0/8"), ExitCode.USAGE, "127.0.0.0/8"),
        (("lab", "--adapter", "L1", "--prefix", "::1/128"), ExitCode.USAGE, "::1/128"),
        (("lab", "--adapter", "L1", "--prefix", "169.254.7.0/24"), ExitCode.USAGE, "link-local"),
        (("lab", "--adapter", "L1", "--prefix", "fe80::/10"), ExitCode.USAGE, "fe80::/10"),
        (("lab", "--adapter", "L1", "--bus-bytes", "1kb"), ExitCode.USAGE, "--bus-bytes"),
        (("lab", "--adapter", "L1", "--policy", "hope"), ExitCode.USAGE, "--policy"),
        (("lab", "--adapter", "L1", "--name", "x" * 65), ExitCode.USAGE, "--name"),
        (("other", "--adapter", "L1"), ExitCode.NOT_FOUND, "network"),
        (("lab", "--adapter", "L1", "--key", "nowhere"), ExitCode.FAILED, "nowhere"),
        (
            ("lab", "--adapter", "L1", "--bus", "nats://127.0.0.1:1"),
            ExitCode.NOT_REACHABLE,
            "127.0.0.1:1",
        ),
        (
            ("lab", "--adapter", "L1", "--bus", "nats://192.0.2.1:4222"),
            ExitCode.USAGE,
            "without encryption",
        ),
        (
            ("lab", "--adapter", "L1", "--bus-data-dir", "nobody-has-run-a-bus-here"),
            ExitCode.NOT_FOUND,
            "wintun-api join keys",
        ),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_joined_is_said(
    lab: Lab, arguments: tuple[str, ...], code: ExitCode, words: str
) -> None:
    """Each fault is a sentence with what to do next."""
    given = lab.common if "--bus-data-dir" not in arguments else lab.common[:4]
    refused(invoke("join", *given, *arguments, WINTUN_API_TOKEN=TOKEN), code, words)


def test_a_wrong_filter_is_refused_before_the_host_joins(lab: Lab) -> None:
    """Other hosts see nothing of it, and it has no key."""
    need_libpcap()
    capture = ("--capture", "--capture-filter", "tcp prt 3")
    result = invoke("join", "lab", "--adapter", "L1", *lab.common, *capture, WINTUN_API_TOKEN=TOKEN)
    refused(result, ExitCode.USAGE, "The filter is not valid at character 5", "      ^")
    assert not (lab.path / "agents").exists()


def test_a_service_that_is_not_there_is_named(lab: Lab) -> None:
    """An agent needs its service when it starts."""
    result = invoke(
        *("join", "lab", "--adapter", "L1", "--url", "http://127.0.0.1:1", *lab.fleet),
        WINTUN_API_TOKEN=TOKEN,
    )
    refused(result, ExitCode.NOT_REACHABLE, "wintun-api serve")
    narrow = lab.service.token(Scope.READ)
    result = invoke("join", "lab", "--adapter", "L1", *lab.common, WINTUN_API_TOKEN=narrow)
    refused(result, ExitCode.REFUSED, "wintun-api tokens create read capture inject")
    result = invoke("join", "lab", "--adapter", "L1", *lab.common, WINTUN_API_TOKEN="wrong")
    refused(result, ExitCode.REFUSED, "token")


def test_an_adapter_that_is_missing_is_waited_for(lab: Lab) -> None:
    """The line says which command creates it; the agent goes on when that has been done."""
    program = lab.start(*("join", "lab", "--adapter", "L9", *lab.common), WINTUN_API_TOKEN=TOKEN)
    program.wait_for("The agent waits for it.*wintun-api adapters create L9")
    assert not (lab.path / "agents").exists()  # a name that is mistyped gets no key
    lab.service.adapter(name="L9", addresses=["10.7.9.1/24"])
    program.wait_for("Packets are exchanged")
    assert program.end()[0] == ExitCode.INTERRUPTED


def test_counters_that_cannot_be_read_are_kept(lab: Lab) -> None:
    """The agent counts anew, and says where the old file is."""
    lab.join("L1").end()
    (ledger,) = (lab.path / "agents" / "lab").glob("*.ledger")
    ledger.write_bytes(b"of another version")
    program = lab.join("L1")
    assert program.end()[0] == ExitCode.INTERRUPTED
    assert f"It is kept as {ledger}.old" in program.stderr
    assert ledger.with_name(f"{ledger.name}.old").read_bytes() == b"of another version"


@mounts
def test_counters_without_room_are_told(lab: Lab) -> None:
    """The agent does not start, and says which file has no room."""
    own = ("--url", lab.service.url, *lab.fleet[2:], "--data-dir", str(lab.path / "small"))
    with mounted(lab.path / "small", "300k") as disk:
        result = invoke("join", "lab", "--adapter", "L1", *own, WINTUN_API_TOKEN=TOKEN)
    refused(result, ExitCode.FAILED, "No space left on device", str(disk / "lab"))


@pytest.mark.skipif(sys.platform == "win32", reason="its pipes close in another way")
def test_a_pipe_that_is_closed_ends_a_watch(lab: Lab) -> None:
    """Without a complaint, as with `head -1`, and with the exit code of all commands."""
    arguments = ("hosts", "--watch", "--json", *lab.fleet)
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(lab.path / "watch"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline() == b"[]\n"
        watch.stdout.close()
        lab.join("L1")
        assert watch.wait(PATIENCE) == 1
        assert watch.stderr is not None
        assert watch.stderr.read() == b""


def test_no_seed_is_shown(lab: Lab) -> None:
    """The key stays in its file, which only its owner can read."""
    program = lab.join("L1")
    (key,) = (lab.path / "agents" / "lab").glob("L1.key")
    secret = key.read_text().strip()
    if sys.platform != "win32":
        assert key.stat().st_mode & 0o077 == 0
        arguments = Path(f"/proc/{program.process.pid}/cmdline").read_bytes().decode()
        assert secret not in arguments
    program.end()
    assert secret not in program.stdout + program.stderr


def test_nobody_has_joined(lab: Lab) -> None:
    """An empty network is no error, and one that does not exist is."""
    result = invoke("hosts", *lab.fleet)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No host has joined." in result.stderr
    refused(invoke("hosts", "other", *lab.fleet), ExitCode.NOT_FOUND)
    assert Network("lab") == lab.server.plan.networks[0].network
