"""Networks of many hosts as interfaces of Wireshark."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.excerpts import SESSION, blocks, message, numbers_of
from tests.fleet.memory import MemoryServer
from tests.fleet.running import LAB, A, B, prepared
from tests.libpcap import need_libpcap
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.extcap import networks
from wintun_api.extcap.answers import DONE, FAILED, answer
from wintun_api.fleet import folder
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.network import Network

INTERFACE = ("--extcap-interface", "wintun-api-network:lab")
Ask = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Ask as Wireshark does, where no service answers."""
    monkeypatch.setenv("WINTUN_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WINTUN_API_TOKEN", "none")
    monkeypatch.setattr(folder, "default_directory", lambda: tmp_path / "agents")

    def ask(*arguments: str) -> tuple[int, list[str], str]:
        code = answer(arguments)
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return ask


def put_key(tmp_path: Path, network: str = "lab") -> None:
    """Put something where the key of a reader is; a list does not read it."""
    path = tmp_path / "agents" / network
    path.mkdir(parents=True)
    (path / "reader.key").touch()


def test_a_network_is_an_interface(ask: Ask, tmp_path: Path) -> None:
    """Where there is a key for it, and also if no service answers."""
    _, without, _ = ask("--extcap-interfaces")
    assert not [line for line in without if "network" in line]
    put_key(tmp_path)
    (tmp_path / "agents" / "other").mkdir()
    code, lines, _ = ask("--extcap-interfaces")
    assert code == DONE
    assert [line for line in lines if "network" in line] == [
        "interface {value=wintun-api-network:lab}{display=network lab of wintun-api: all its hosts}"
    ]


def test_only_names_of_networks_are_listed(ask: Ask, tmp_path: Path) -> None:
    """Another folder cannot put a line of its own into Wireshark's list."""
    put_key(tmp_path, "a}{b")
    _, lines, _ = ask("--extcap-interfaces")
    assert not [line for line in lines if "network" in line]


def test_its_options_are_those_that_it_has(ask: Ask) -> None:
    """The address of a service is not among them, and the last seconds are those of the bus."""
    _, lines, _ = ask("--extcap-config", *INTERFACE)
    calls = [line.partition("{call=")[2].partition("}")[0] for line in lines if "{call=" in line]
    assert calls == ["--direction", "--snaplen", "--last"]
    assert "what the bus has kept" in "".join(lines)


def test_a_filter_is_checked_here(ask: Ask) -> None:
    """No service has to answer."""
    need_libpcap()
    assert ask(*INTERFACE, "--extcap-capture-filter", "udp") == (DONE, [], "")
    _, lines, _ = ask(*INTERFACE, "--extcap-capture-filter", "udp prot 7")
    assert lines[0].endswith("(at character 5)")


def test_a_network_without_a_key_is_refused(ask: Ask, tmp_path: Path) -> None:
    """The sentence says where keys come from."""
    pytest.importorskip("nats", reason="not installed: nats")
    nowhere = ("--extcap-interface", f"{networks.PREFIX}nowhere")
    code, _, complaint = ask("--capture", *nowhere, "--fifo", str(tmp_path / "fifo"))
    assert code == FAILED
    assert "nowhere" in complaint
    assert "wintun-api" in complaint


async def publish(server: MemoryServer, host: str, number: int) -> None:
    """Let a host publish a packet."""
    bus = server.connect(host)
    data = message(blocks(number, at=time.time_ns()), name=host[0], number=number, passed=number)
    await bus.publish(LAB.capture(host, SESSION), data)
    await bus.aclose()


def test_a_capture_has_the_packets_of_all_hosts(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the last seconds and those that come, until Wireshark asks to stop."""
    server, path = prepared(), tmp_path / "fifo"

    async def connect(network: Network) -> Bus:
        assert network == LAB
        await publish(server, A, 1)
        await publish(server, B, 2)
        return server.connect("reader")

    monkeypatch.setattr(networks, "_connect", connect)

    def found() -> list[int]:
        return numbers_of([one.data for one in Reader([path.read_bytes()], growing=True)])

    def stop() -> None:
        until(lambda: path.exists() and len(found()) == 2)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    code, _, complaint = ask("--capture", *INTERFACE, "--fifo", str(path), "--last", "60")
    stopper.join()
    assert (code, complaint) == (DONE, "")
    assert found() == [1, 2]
