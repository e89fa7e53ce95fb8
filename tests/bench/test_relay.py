"""The C relay that moves whole segments, beside one that does not: nothing hides its faults."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench.bench import Bench
from tests.bench.contenders import Services
from tests.bench.hosts import Hosts, joined
from tests.bench.installation import installation
from tests.bench.machine import missing
from tests.bench.programs import Programs
from tests.bench.tcp import WAYS, iperf3
from tests.drivers.linux.kernel import ip, namespace
from wintun_api.wire import BATCH, RAW

pytestmark = [pytest.mark.heavy, pytest.mark.kernel]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The programs, in a namespace; no service is started."""
    if lacks := missing(["tcp"]):
        (pytest.fail if "CI" in os.environ else pytest.skip)(" ".join(lacks))
    directory = tmp_path_factory.mktemp("relay")
    with namespace():
        yield Bench(
            programs=Programs(directory, []),
            services=Services(installation(Path(sys.executable)), directory, [], "off"),
            rounds=1,
            seconds=1,
            warm=0.1,
            idle=0.15,
            short=True,
            pin=False,
            memory_seconds=1,
        )


@pytest.fixture(scope="module", params=[BATCH, RAW])
def hosts(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Hosts]:
    """Two hosts with IPv4 and IPv6; the first one's device passes super-packets."""
    with ExitStack() as stack:
        field = stack.enter_context(bench.field(queue_length=20_000))
        pair = [field.add_c_relay(request.param, offload=offload) for offload in (True, False)]
        two = stack.enter_context(joined(bench, "relays", pair, 1))
        for number, (name, one) in enumerate(zip((two.one, two.other), pair, strict=True), 1):
            ip("-n", name, "addr", "add", f"fd00::{number}/64", "dev", one.device, "nodad")
        yield two


@pytest.mark.parametrize(("way", "option"), WAYS)
@pytest.mark.parametrize("address", [None, "fd00::2"])
def test_tcp_arrives_whole(
    bench: Bench, hosts: Hosts, way: str, option: list[str], address: str | None
) -> None:
    """A host that checks every packet refuses none, and none has to be sent again."""
    del way
    carried = iperf3(bench, hosts, option, address)
    assert carried.broken == 0
    assert carried.rate > 1e7
    assert carried.again < 1000
