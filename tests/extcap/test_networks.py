"""Networks of many hosts as interfaces of Wireshark."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.excerpts import SECOND, SESSION, blocks, message, numbers_of
from tests.fleet.memory import MemoryServer
from tests.fleet.running import LAB, A, B, prepared
from tests.libpcap import need_libpcap
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.extcap import networks
from wintun_api.extcap.answers import DONE, FAILED, answer
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.keys import folder

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


def test_a_reader_without_a_service_can_capture_networks(ask: Ask, tmp_path: Path) -> None:
    """What is said tells that a service is needed for adapters alone."""
    assert ask("--extcap-interfaces")[2].startswith("Nothing answers at http://127.0.0.1:9. Start ")
    put_key(tmp_path)
    assert ask("--extcap-interfaces")[2] == (
        "Only networks can be captured: nothing answers at http://127.0.0.1:9. For adapters, start "
        "the service with wintun-api serve, or set its address in the options of the interface.\n"
    )


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


async def publish(
    server: MemoryServer, host: str, number: int, *, ago: int = 0, data: bytes | None = None
) -> None:
    """Let a host publish a packet of some seconds ago, or something else."""
    bus = server.connect(host)
    if data is None:
        at = time.time_ns() - ago * SECOND
        data = message(blocks(number, at=at), name=host[0], number=number, passed=number)
    await bus.publish(LAB.capture(host, SESSION), data)
    await bus.aclose()


def capture_until(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, path: Path, server: MemoryServer, last: int
) -> tuple[int, list[int], str]:
    """Capture the last minute until a packet has come, then stop as Wireshark does."""
    monkeypatch.setattr(networks, "_connect", lambda _: connected(server))

    def found() -> list[int]:
        there = path.read_bytes() if path.exists() else b""
        return numbers_of([one.data for one in Reader([there], growing=True)])

    def stop() -> None:
        until(lambda: last in found())
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    code, _, complaint = ask("--capture", *INTERFACE, "--fifo", str(path), "--last", "60")
    stopper.join()
    return code, found(), complaint


async def connected(server: MemoryServer) -> Bus:
    """Connect as a reader."""
    return server.connect("reader")


def test_a_capture_has_the_packets_of_all_hosts(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the last seconds, in order, until Wireshark asks to stop."""
    server = prepared()
    asyncio.run(publish(server, A, 1))
    asyncio.run(publish(server, B, 2))
    found = capture_until(ask, monkeypatch, tmp_path / "fifo", server, 2)
    assert found == (DONE, [1, 2], "")


def test_late_packets_and_strange_messages_are_told_at_the_end(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of `capture --network`; Wireshark shows what is on standard error."""
    server = prepared()
    asyncio.run(publish(server, A, 1, ago=10))
    asyncio.run(publish(server, B, 3, data=b"no message of a capture"))
    asyncio.run(publish(server, B, 2, ago=30))
    code, found, complaint = capture_until(ask, monkeypatch, tmp_path / "fifo", server, 2)
    assert (code, found) == (DONE, [1, 2])
    assert complaint.splitlines() == [
        "1 packet came too late for its place in the order of time.",
        "1 message was not read: no agent of this version writes such.",
    ]
