"""Show in the report of a failing test what services have logged during it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from wintun_api.testing.process import ServiceProcess

NAME = "wintun_api.testing.report"
TITLE = "wintun-api log"


class LogReport:
    """Add the logs to reports; registered as a plugin once the first service runs."""

    def __init__(self) -> None:
        self._begun: dict[ServiceProcess, int] = {}

    def add(self, service: ServiceProcess) -> None:
        """Show the log of this service, at first from its beginning."""
        self._begun[service] = 0

    def remove(self, service: ServiceProcess) -> None:
        """Leave it out from now on."""
        del self._begun[service]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Note where the part of a log begins that belongs to this test."""
        for service in self._begun:
            self._begun[service] = service.log.position()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the logs to the report of a test that failed and uses a service."""
        report = yield
        if report.failed and _uses_a_service(item):
            for service, position in self._begun.items():
                title = f"{TITLE} ({service.driver.value}, {report.when})"
                report.sections.append((title, service.log.text(position)))
        return report


def _uses_a_service(item: Any) -> bool:
    return any(name.startswith("tun_") for name in getattr(item, "fixturenames", ()))


def report_of(config: pytest.Config) -> LogReport:
    """Return the plugin of this run, which is registered at the first call."""
    found: Any = config.pluginmanager.get_plugin(NAME)
    if found is None:
        found = LogReport()
        config.pluginmanager.register(found, NAME)
    assert isinstance(found, LogReport)
    return found
