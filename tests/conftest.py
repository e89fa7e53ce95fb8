"""Fixtures that every floor uses, and how a run of pytest goes on and ends."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import hypothesis
import pytest

from tests import bytecode, needs
from tests.disk import mounted
from tests.drivers.linux.kernel import namespace
from tests.libpcap import Install
from tests.running import RunningService, running
from wintun_api.capture.filters import binding
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation

pytest_plugins = ["pytester"]  # tests of the fixtures that the package has for other projects

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

WORKERS_PER_CORE = 3
MAX_WORKERS = 12

# Hypothesis times examples and keeps what it found in a folder; machines are slow and checkouts
# read-only. Its examples are the same in every run.
hypothesis.settings.register_profile(
    "everywhere",
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("everywhere")


def pytest_configure(config: pytest.Config) -> None:
    """Give a user without a home directory one, and let Ctrl-C interrupt what tests start.

    Workers inherit the directory. A shell that runs the tests in the background ignores Ctrl-C for
    them and for all that they start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        Path.home()
    except RuntimeError:
        home = tempfile.TemporaryDirectory()
        config.add_cleanup(home.cleanup)
        os.environ["HOME"] = home.name
    if not hasattr(config, "workerinput"):
        bytecode.share(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect without the garbage collector, to which what is collected is no garbage."""
    gc.disable()
    given = getattr(session.config, "workerinput", None)
    if given is not None and session.config.args == session.config.getini("testpaths"):
        number = int(given["workerid"].removeprefix("gw"))
        bytecode.read_in_turn(number, given["workercount"])
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that takes every test."""
    parser.addoption(
        "--thorough", action="store_true", help="run the tests marked thorough too, as CI does"
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run folders of ordinary tests side by side, and named files one after the other.

    A developer waits for one file less long without workers; heavy tests share what they build.
    Tests wait for processes and networks, so there are more workers than processors.
    """
    if _names_files(config) or config.option.capture == "no":
        return 0
    if config.option.markexpr != "not heavy":
        return 0
    return min(WORKERS_PER_CORE * (os.cpu_count() or 1), MAX_WORKERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked thorough to CI, to `--thorough`, and to who names the file."""
    if config.option.thorough or os.environ.get("CI") or _names_files(config):
        return
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    begun: set[str] = set()
    for item in items:
        mark = item.get_closest_marker("thorough")
        name = item.nodeid.partition("[")[0]
        first = mark is not None and mark.kwargs.get("but_first") and name not in begun
        begun.add(name)
        (kept if mark is None or first else left).append(item)
    if left:
        items[:] = kept
        config.hook.pytest_deselected(items=left)


def _names_files(config: pytest.Config) -> bool:
    return all(".py" in argument for argument in config.args)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Leave out a file that needs a package which is not installed; where CI runs, it fails."""
    report = yield
    call: pytest.CallInfo[object] | None = getattr(report, "call", None)
    error = call.excinfo.value if call is not None and call.excinfo is not None else None
    package = needs.package_missing(error)
    if package is not None:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: {needs.NOT_INSTALLED}{package}")
    return _judged(report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a test that lacks a program as failed where CI runs, for there it is installed."""
    return _judged((yield))


def _judged(report: Report) -> Report:
    """Return a report; one of a lack is a failure where CI runs."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    if report.skipped and needs.must_be_whole() and needs.is_a_lack(reason):
        report.outcome, report.longrepr = "failed", f"CI is set, and {reason}"
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say in one table what was left out, and which Debian package brings it."""
    if not (config.option.thorough or os.environ.get("CI") or _names_files(config)):
        terminalreporter.write_line("The option --thorough runs those tests too that take long.")
    reports = terminalreporter.stats.get("skipped", [])
    reasons = [one.longrepr[2] for one in reports if isinstance(one.longrepr, tuple)]
    if reasons:
        terminalreporter.section(f"{len(reasons)} tests were left out", sep="-")
        for line in needs.table(reasons):
            terminalreporter.write_line(line)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; needs root."""
    with mounted(tmp_path / "disk") as path:
        yield path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """What is installed as libpcap: a function that takes a module, or None for none."""
    binding.loaded.cache_clear()

    def install(module: ModuleType | None) -> None:
        monkeypatch.setitem(sys.modules, binding.PACKAGE, module)

    yield install
    binding.loaded.cache_clear()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    """A service on the emulated driver, pool generation."""
    with running(tmp_path) as service:
        yield service


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24 of the adapter OfficeNet."""
    return str(service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))["id"])


@pytest.fixture(params=["pool", "tunnel-type"])
def either_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """A service on the emulated driver, once per generation."""
    with running(tmp_path, generation=request.param) as service:
        yield service


@dataclass
class Rig:
    """A service with the knobs of the emulated library behind it."""

    service: RunningService
    library: EmulatedLibrary


@pytest.fixture(params=list(Generation))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A service whose library can be made to fail; it must not have been misused at the end."""
    library = EmulatedLibrary(request.param, Machine())
    with running(tmp_path, emulated_driver(library)) as service:
        yield Rig(service, library)
    assert library.misuse == []
    assert library.open_handles() == (0, 0)


@pytest.fixture
def kernel_service(tmp_path: Path) -> Iterator[RunningService]:
    """A service on kernel TUN devices, in a network namespace that takes them with it."""
    with namespace(), running(tmp_path, driver="linux", log_level="warning") as service:
        yield service
