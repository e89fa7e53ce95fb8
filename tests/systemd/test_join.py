"""An agent under systemd, which has no right: it joins a bus with the adapter of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.needs import need
from tests.systemd.machine import Machine, install, machine
from tests.waiting import within

PROJECT = Path(__file__).parent.parent.parent
PROGRAM = "/opt/wintun-api/bin/wintun-api"
BUS = "/var/lib/wintun-bus"
AGENT = "wintun-api-join@lab"

pytestmark = [pytest.mark.heavy, *needs_kernel]

# What the first lines of the unit say, with a service and a bus before it.
SET_UP = f"""
set -e
cd /etc/systemd/system
{PROGRAM} service unit > wintun-api.service
{PROGRAM} service unit --join > wintun-api-join@.service
systemctl daemon-reload
systemctl start wintun-api
export WINTUN_API_DATA_DIR=/var/lib/wintun-api
{PROGRAM} adapters create OfficeNet --address 10.7.0.1/24
{PROGRAM} sessions start OfficeNet
systemd-run --quiet --unit=bus --service-type=notify {PROGRAM} bus --data-dir {BUS}
install -d -m 700 /etc/wintun-api-join
cd /etc/wintun-api-join
echo ADAPTER=OfficeNet > lab.conf
echo 'OPTIONS=--name office --json' >> lab.conf
{PROGRAM} join keys --network lab --data-dir {BUS} --output lab.key
(umask 077; {PROGRAM} tokens create read capture inject --quiet > lab.token)
systemctl enable --now {AGENT}
"""


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with a service, a bus and an agent."""
    need("systemd-nspawn", "nsenter", "uv")
    folder = tmp_path_factory.mktemp("systemd")
    install(folder / "installed", PROJECT, "[fleet,fleet-server]")
    with machine(folder, folder / "installed") as started:
        started.run(SET_UP)
        yield started


def log(booted: Machine) -> str:
    """Return what the agent has written."""
    return booted.run(f"journalctl --output=cat --unit={AGENT}")


def told(booted: Machine) -> set[str]:
    """Return the types of the events that it has told."""
    lines = [line for line in log(booted).splitlines() if line.startswith("{")]
    return {json.loads(line)["type"] for line in lines}


def test_it_joins(booted: Machine) -> None:
    """It exchanges packets with the service, and its address leads to it."""
    done = within(30, lambda: {"claim.held", "service.connected"} <= told(booted))
    assert done, log(booted)
    said = booted.run(f"{PROGRAM} hosts --json --bus-data-dir {BUS} --data-dir /run/reader")
    (host,) = json.loads(said)
    assert (host["name"], host["prefixes"]) == ("office", ["10.7.0.1/32"])


def test_rights(booted: Machine) -> None:
    """It is a user of its own without any right, and a filter of system calls is in force."""
    process = booted.run(f"systemctl show --property=MainPID --value {AGENT}").strip()
    lines = booted.run(f"cat /proc/{process}/status").splitlines()
    found = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert found["Uid"].split()[0] not in ("0", "65534")
    for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[kind], 16) == 0, kind
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")


def test_it_ends_in_order(booted: Machine) -> None:
    """It leaves the network when it is stopped, which is not a failure; its counters stay."""
    booted.run(f"systemctl stop {AGENT}")
    assert booted.run(f"systemctl show --property=Result --value {AGENT}").strip() == "success"
    assert "agent.ended" in told(booted)
    assert "Traceback" not in log(booted)
    assert ".ledger" in booted.run("find /var/lib/private/wintun-api-join -type f")
