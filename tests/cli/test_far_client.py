"""`--host`: the commands for a service, sent to another host over a real bus."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.commands import Program, invoke
from tests.fleet.server.servers import Server, free_port, plan_of, serving
from tests.running import TOKEN, RunningService, running
from tests.waiting import until
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.fleet import storage
from wintun_api.fleet.server import laboratory
from wintun_api.fleet.server.plan import Listening
from wintun_api.schemas.networks import HostState

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its signals are of POSIX")
pytest.importorskip("nats", reason="not installed: nats")


@dataclass(frozen=True)
class Hub:
    """A host that has joined a network, and what reaches it.

    Attributes:
        service: The service of the host.
        agent: Its agent.
        server: The server of the bus.
        key: The file with the key of an operator.
        reader: The file with the key of a reader.
    """

    service: RunningService
    agent: Program
    server: Server
    key: Path
    reader: Path

    def ask(self, *arguments: str, key: Path | None = None) -> Result:
        """Run a command for the service of the host."""
        return invoke(*arguments, "--host", "hub", "--key", str(key or self.key))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A host that allows everything."""
    path = tmp_path_factory.mktemp("hub")
    data = path / "bus"
    with (
        running(
            path, emulated_driver(EmulatedLibrary(Generation.TUNNEL_TYPE, Machine()))
        ) as service,
        serving(data, plan_of(Listening(port=free_port()))) as server,
    ):
        service.adapter(name="Lab", addresses=["10.7.0.1/24"])
        keys = {role: path / f"{role}.key" for role in ("host", "operator", "reader")}
        for role, file in keys.items():
            made = invoke(
                *("join", "keys", "--data-dir", str(data), "--role", role, "--output", str(file))
            )
            assert made.exit_code == 0, made.output
        agent = Program(
            path,
            *("join", "lab", "--adapter", "Lab", "--name", "hub", "--allow", "admin"),
            *("--key", str(keys["host"]), "--data-dir", str(path / "agents")),
            *("--url", service.url),
            WINTUN_API_TOKEN=TOKEN,
        )
        agent.wait_for("exchanged with")
        yield Hub(service, agent, server, keys["operator"], keys["reader"])
        agent.end()


def test_a_command_reads_another_host(hub: Hub) -> None:
    """What a command shows is what it shows on that host."""
    here = invoke("adapters", "list", "--json", "--url", hub.service.url, "--token", TOKEN)
    there = hub.ask("adapters", "list", "--json")
    assert there.exit_code == 0, there.stderr
    assert json.loads(there.stdout) == json.loads(here.stdout)
    before = invoke("--host", "hub", "--key", str(hub.key), "adapters", "list", "--json")
    assert before.stdout == there.stdout


def test_the_service_there_knows_its_network(hub: Hub) -> None:
    """Its agent reports the network to it, and soon what has changed, for its dashboard."""

    def reported() -> list[tuple[str, HostState, list[str]]]:
        (network,) = hub.service.api.list_networks()
        assert (network.name, network.connected) == ("lab", True)
        return [(one.name, one.state, one.prefixes) for one in network.hosts]

    until(lambda: reported() == [("hub", HostState.ATTACHED, ["10.7.0.1/32"])])


def test_a_command_changes_another_host(hub: Hub) -> None:
    """It does there what it says, and the agent there tells who has asked for it."""
    made = hub.ask("adapters", "create", "Far", "--mtu", "1400")
    assert made.exit_code == 0, made.stderr
    assert "1400" in hub.ask("adapters", "show", "Far").stdout
    assert hub.ask("adapters", "delete", "Far").exit_code == 0
    hub.agent.wait_for("has asked for POST /v1/adapters: 201")


def test_errors_of_the_service_are_sentences(hub: Hub) -> None:
    """A refusal there ends the command as one here does."""
    ended = hub.ask("sessions", "end", "unknown")
    assert (ended.exit_code, "Traceback" in ended.output) == (5, False)


def test_the_status_of_another_host(hub: Hub) -> None:
    """`status` names the host, and where the token is."""
    shown = hub.ask("status")
    assert shown.exit_code == 0, shown.stderr
    assert ".lab" in shown.stdout
    assert "the agent there" in shown.stdout


def test_a_large_request_and_a_large_answer(hub: Hub) -> None:
    """What needs several messages of the bus, or nearly the largest one, arrives whole."""
    networks = [f"10.{high}.{low}.0/24" for high in range(20, 28) for low in range(256)]
    routes = [option for one in networks for option in ("--route", one)]
    made = hub.ask("adapters", "create", "Wide", *routes)
    assert made.exit_code == 0, made.stderr
    shown = hub.ask("adapters", "show", "Wide", "--json")
    assert [one["destination"] for one in json.loads(shown.stdout)["routes"]] == networks
    assert len(shown.stdout) > 90 * 1024
    assert hub.ask("adapters", "delete", "Wide").exit_code == 0


def test_files_stay_on_their_host(hub: Hub, tmp_path: Path) -> None:
    """A download is refused by the agent, which says what to do instead."""
    assert hub.ask("captures", "start", "far").exit_code == 0
    refused = hub.ask("captures", "download", "far", "--output", str(tmp_path / "far.pcapng"))
    assert (refused.exit_code, "Traceback" in refused.output) == (1, False)
    assert "does not go over the bus" in refused.stderr
    assert hub.ask("captures", "delete", "far").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("adapters", "list", "--host", "nobody"), 5, "has no host 'nobody'"),
        (("adapters", "list", "--host", "hub", "--network", "rig"), 4, "for the network lab"),
        (("adapters", "list", "--host", "hub", "--network", "No"), 2, "not the name of a network"),
        (("adapters", "list", "--host", "hub", "--bus", "nats://127.0.0.1:9"), 3, "127.0.0.1:9"),
    ],
)
def test_what_cannot_be_reached(hub: Hub, arguments: tuple[str, ...], code: int, said: str) -> None:
    """Each mistake has a sentence and a code of its own."""
    ended = invoke(*arguments, "--key", str(hub.key))
    assert ended.exit_code == code, ended.output
    assert said in ended.stderr


def test_a_key_of_a_reader_does_not_do(hub: Hub) -> None:
    """A key without the right is refused, with the command that makes the right one."""
    ended = hub.ask("adapters", "list", key=hub.reader)
    assert ended.exit_code == 4, ended.output
    assert "--role operator" in ended.stderr


def test_the_bus_of_this_user_makes_a_key(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key a bus of the same user makes one, once."""
    data = hub.server.laboratory.path
    monkeypatch.setattr(laboratory, "default_directory", lambda: data)
    monkeypatch.setattr(storage, "default_directory", lambda: tmp_path / "agents")
    before = len(hub.server.plan.networks[0].users)
    for _ in range(2):
        asked = invoke("adapters", "list", "--host", "hub")
        assert asked.exit_code == 0, asked.output
    assert len(hub.server.plan.networks[0].users) == before + 1


@pytest.mark.parametrize(
    "option", [("--network", "lab"), ("--bus", "nats://127.0.0.1"), ("--key", "file")]
)
def test_options_that_belong_to_a_host(option: tuple[str, str]) -> None:
    """What says how to reach a host is refused without one, and not left out of account."""
    ended = invoke("adapters", "list", *option)
    assert ended.exit_code == 2
    assert "--host" in ended.stderr
