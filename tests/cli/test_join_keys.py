"""`wintun-api join keys`: keys for hosts, with and without a bus that runs."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.cli.commands import COMMAND, PATIENCE, environment, invoke
from tests.disk import fill, mounted, mounts
from tests.fleet.server.servers import (
    LAB,
    Server,
    connected,
    elsewhere,
    free_port,
    looped,
    need_server,
    plan_of,
    serving,
)
from tests.waiting import until
from wintun_api.fleet.keys.identity import PREFIX, KeyLine, read_key
from wintun_api.fleet.network import Network
from wintun_api.fleet.server.laboratory import Laboratory
from wintun_api.fleet.server.plan import Listening


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, str]:
    """Plan a bus that does not run, and return the option that names it."""
    laboratory = Laboratory(tmp_path / "bus")
    laboratory.prepare()
    laboratory.write(plan_of(Listening(port=free_port())))
    return ("--data-dir", str(laboratory.path))


@looped
async def _works(server: Server, line: KeyLine) -> None:
    there = await connected(line)
    assert await there.publish(LAB.group_packets(line.identity.host), b"packets")
    assert server.process.poll() is None
    await there.aclose()


def test_a_key_is_one_line_that_works_at_once(tmp_path: Path) -> None:
    """Standard output has the line alone, so that it can be piped to the host."""
    with serving(tmp_path / "bus") as server:
        made = invoke("join", "keys", "--data-dir", str(server.laboratory.path))
        assert made.exit_code == 0, made.output
        assert made.stdout.startswith(PREFIX)
        assert made.stdout.count("\n") == 1
        line = KeyLine.parse(made.stdout)
        assert line.identity.host in made.stderr
        assert line.identity.seed.decode() not in made.stderr
        _works(server, line)


def test_a_file_gets_the_key_for_its_owner_alone(tmp_path: Path, data: tuple[str, str]) -> None:
    """With --output nothing secret goes to the terminal."""
    path = tmp_path / "key"
    made = invoke("join", "keys", *data, "--output", str(path))
    assert (made.exit_code, made.stdout) == (0, "")
    assert read_key(path).network == LAB
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_kept(tmp_path: Path, data: tuple[str, str]) -> None:
    """It may be the only copy of another key; no key is made."""
    path = tmp_path / "key"
    path.write_text("mine")
    made = invoke("join", "keys", *data, "--output", str(path))
    assert made.exit_code == 1
    assert "is there already" in made.stderr
    assert path.read_text() == "mine"
    assert invoke("join", "keys", *data, "--list", "--json").stdout == "[]\n"


@mounts
def test_a_key_without_room_is_taken_back(tmp_path: Path, data: tuple[str, str]) -> None:
    """The bus would accept it, and nobody would have it; the file is named."""
    with mounted(tmp_path / "full") as disk:
        fill(disk)
        made = invoke("join", "keys", *data, "--output", str(disk / "key"))
    assert made.exit_code == 1
    assert f"Cannot read or write {disk / 'key'}: No space left on device." in made.stderr
    assert invoke("join", "keys", *data, "--list", "--json").stdout == "[]\n"


@pytest.mark.parametrize("options", [[], ["--json"], ["--output", "-"]])
@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is a device of Linux")
def test_a_key_that_nobody_got_is_taken_back(
    tmp_path: Path, data: tuple[str, str], options: list[str]
) -> None:
    """Standard output did not take the line, which is kept nowhere."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, "join", "keys", *data, *options],
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert ended.returncode == 1
    assert "cannot be written to standard output: No space left on device." in ended.stderr
    assert "revoked again" in ended.stderr
    assert invoke("join", "keys", *data, "--list", "--json").stdout == "[]\n"


def test_keys_are_listed_without_their_secrets(data: tuple[str, str]) -> None:
    """By the name that its operator gave, with the role."""
    key = json.loads(invoke("join", "keys", *data, "--name", "rig 7", "--json").stdout)
    reader = json.loads(invoke("join", "keys", *data, "--role", "reader", "--json").stdout)
    listed = invoke("join", "keys", *data, "--list")
    assert "rig 7" in listed.stdout
    found = json.loads(invoke("join", "keys", *data, "--list", "--json").stdout)
    assert [(one["id"], one["role"], one["name"]) for one in found] == [
        (key["id"], "host", "rig 7"),
        (reader["id"], "reader", ""),
    ]
    seed = KeyLine.parse(key["key"]).identity.seed.decode()
    assert seed not in listed.stdout + json.dumps(found)


def test_a_key_is_revoked_by_its_name(data: tuple[str, str]) -> None:
    """The list is empty then, and a second time it is not found."""
    key = json.loads(invoke("join", "keys", *data, "--name", "rig", "--json").stdout)
    gone = invoke("join", "keys", *data, "--revoke", "rig")
    assert gone.stdout == f"Revoked {key['id']}.\n"
    assert "its next start deletes what the host has claimed" in gone.stderr
    again = invoke("join", "keys", *data, "--revoke", "rig", "--json")
    assert again.exit_code == 5
    assert json.loads(again.stderr)["detail"] == "No keys of the network 'lab' are called 'rig'."


def test_a_bus_that_runs_lets_others_have_the_addresses(tmp_path: Path) -> None:
    """The id alone is on standard output."""
    with serving(tmp_path / "bus") as server:
        data = ("--data-dir", str(server.laboratory.path))
        key = json.loads(invoke("join", "keys", *data, "--json").stdout)
        gone = invoke("join", "keys", *data, "--revoke", key["id"])
    assert gone.stdout == f"Revoked {key['id']}.\n"
    assert gone.stderr == "Other hosts can have the addresses of the host now.\n"


def test_a_key_that_is_not_there_is_not_revoked(data: tuple[str, str]) -> None:
    """The hint holds for a bus in any folder."""
    gone = invoke("join", "keys", *data, "--revoke", "nobody")
    assert gone.exit_code == 5
    assert "Give --list in place of --revoke" in gone.stderr


def test_a_key_can_name_other_servers(data: tuple[str, str]) -> None:
    """Those that the host reaches, behind NAT or by a name; the port can be left out."""
    urls = ("--server", "tls://hub.example.com", "--server", "tls://192.0.2.7:5222")
    made = invoke("join", "keys", *data, *urls)
    assert made.exit_code == 0, made.output
    line = KeyLine.parse(made.stdout)
    assert line.servers == ("tls://hub.example.com:4222", "tls://192.0.2.7:5222")
    assert "certificate" not in made.stderr  # this bus has none, so the name is another server's


def test_a_name_that_the_certificate_lacks_is_warned_of(tmp_path: Path) -> None:
    """A host would refuse the server; the warning says how the bus gets the name."""
    laboratory = Laboratory(tmp_path / "bus")
    laboratory.prepare()
    plan = plan_of(Listening("0.0.0.0", names=("hub.example.com",), found=False))
    laboratory.write_certificate(plan)
    laboratory.write(plan)
    data = ("--data-dir", str(laboratory.path))
    known = invoke("join", "keys", *data, "--server", "tls://Hub.example.com:5222")
    assert "Warning" not in known.stderr
    unknown = invoke("join", "keys", *data, "--server", "tls://nat.example.com")
    assert KeyLine.parse(unknown.stdout).ca is not None
    assert "Start the bus with --hostname nat.example.com." in unknown.stderr


def test_a_key_can_be_for_some_prefixes(data: tuple[str, str]) -> None:
    """The list shows them, and the configuration for the server has them as subjects."""
    given = ("--prefix", "10.7.0.2/32", "--prefix", "fd00::/64")
    key = json.loads(invoke("join", "keys", *data, *given, "--json").stdout)
    assert key["prefixes"] == ["10.7.0.2/32", "fd00::/64"]
    free = json.loads(invoke("join", "keys", *data, "--json").stdout)
    listed = invoke("join", "keys", *data, "--list").stdout
    assert "10.7.0.2/32" in listed
    assert "everything" in listed
    printed = invoke("join", "keys", *data, "--print-config").stdout
    assert f"$KV.wt_lab_routes.{key['id']}.10-7-0-2_32" in printed
    assert f"$KV.wt_lab_routes.{key['id']}.*" not in printed
    assert f"$KV.wt_lab_routes.{free['id']}.*" in printed


def test_a_machine_without_a_bus_is_told_what_to_do(tmp_path: Path) -> None:
    """There is nothing that could accept the key."""
    made = invoke("join", "keys", "--data-dir", str(tmp_path / "none"))
    assert made.exit_code == 5
    assert "There is no bus in" in made.stderr
    assert "wintun-api bus" in made.stderr


def test_the_network_is_asked_for_where_there_are_several(tmp_path: Path) -> None:
    """A key is never made for a network by chance."""
    laboratory = Laboratory(tmp_path / "bus")
    laboratory.prepare()
    laboratory.write(plan_of(Listening(), LAB, Network("rig")))
    data = ("--data-dir", str(laboratory.path))
    made = invoke("join", "keys", *data)
    assert made.exit_code == 2
    assert "several networks: lab, rig" in made.stderr
    chosen = invoke("join", "keys", *data, "--network", "rig")
    assert KeyLine.parse(chosen.stdout).network.name == "rig"
    assert invoke("join", "keys", *data, "--network", "home").exit_code == 5


@pytest.mark.parametrize(
    "given",
    [
        ("--list", "--revoke", "x"),
        ("--name", "a\nb"),
        ("--name", "x" * 65),
        ("--role", "king"),
        ("--output", ""),
        ("--prepare", "http://hub"),
        ("--server", "nats://192.0.2.7"),
        ("--server", "hub.example.com"),
        ("--server", "tls://hub", "--list"),
        ("--prefix", "10.7.0.2/24"),
        ("--prefix", "10.7.0.2", "--role", "reader"),
        ("--prefix", "224.0.0.0/4"),
    ],
    ids=" ".join,
)
def test_wrong_usage_makes_no_key(data: tuple[str, str], given: tuple[str, ...]) -> None:
    """It is told without a traceback."""
    made = invoke("join", "keys", *data, *given)
    assert made.exit_code in (2, 4), made.output
    assert invoke("join", "keys", *data, "--list", "--json").stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="it is ended by a signal")
def test_a_server_that_somebody_else_operates_can_have_the_network(tmp_path: Path) -> None:
    """Its configuration gets the accounts, and one command makes the buckets there."""
    program, data = need_server(), ("--data-dir", str(tmp_path / "keys"))
    assert invoke("join", "keys", *data, "--network", "lab", "--print-config").exit_code == 0
    line = KeyLine.parse(invoke("join", "keys", *data).stdout)
    printed = invoke("join", "keys", *data, "--print-config").stdout
    assert line.identity.public_key in printed
    assert "SU" + line.identity.seed.decode()[2:] not in printed

    port, store = free_port(), tmp_path / "foreign"
    conf, log = tmp_path / "foreign.conf", tmp_path / "foreign.log"
    accounts = json.loads(printed)["accounts"]
    conf.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{store}" }}\n'
        f"accounts: {json.dumps(accounts)}\n"
    )
    with log.open("wb") as written:
        server = subprocess.Popen([program.path, "-c", conf], stderr=written)
    try:
        until(lambda: "Server is ready" in log.read_text())
        ready = invoke("join", "keys", *data, "--prepare", f"nats://127.0.0.1:{port}")
        assert ready.stdout == f"The network lab is ready at nats://127.0.0.1:{port}.\n"
        url = f"nats://127.0.0.1:{port}"
        _works(Server(Laboratory(tmp_path / "keys"), server), elsewhere(line, url))
    finally:
        server.terminate()
        server.wait(PATIENCE)


def test_a_bus_of_this_machine_is_prepared_again(tmp_path: Path) -> None:
    """Its certificate is known here, though no system trusts it."""
    with serving(
        tmp_path / "bus", plan_of(Listening("0.0.0.0", free_port(), ("127.0.0.1",)))
    ) as bus:
        (url,) = bus.plan.listening.urls
        data = ("--data-dir", str(bus.laboratory.path))
        ready = invoke("join", "keys", *data, "--prepare", url)
        assert ready.stdout == f"The network lab is ready at {url}.\n", ready.stderr


def test_a_shell_completes_the_networks_of_the_bus(tmp_path: Path) -> None:
    """Those that begin so; none and no message where there is no bus."""
    laboratory = Laboratory(tmp_path / "bus")
    laboratory.prepare()
    laboratory.write(plan_of(Listening(), LAB, Network("rig")))

    def offered(folder: Path, begun: str) -> list[str]:
        line = f"wintun-api join keys --data-dir {folder} --network {begun}"
        shown = invoke(
            _WINTUN_API_COMPLETE="complete_bash",
            COMP_WORDS=line,
            COMP_CWORD=str(len(line.split(" ")) - 1),
        )
        assert (shown.exit_code, shown.stderr) == (0, "")
        return shown.stdout.split()

    assert offered(laboratory.path, "r") == ["rig"]
    assert offered(laboratory.path, "") == ["lab", "rig"]
    assert offered(tmp_path / "none", "") == []


def test_help_names_the_network_and_the_keys() -> None:
    """`join` is a command for both, and says so."""
    shown = invoke("join", "--help").stdout
    assert "NETWORK" in shown
    assert "keys" in shown
    assert "--adapter" in invoke("join", "lab", "--help").stdout
    assert "--role" in invoke("join", "keys", "--help").stdout
