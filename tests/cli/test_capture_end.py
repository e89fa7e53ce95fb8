"""`capture` says why it is over, if its own limits did not end it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.capturing import capturing, variables
from tests.cli.commands import PATIENCE, invoke, token_of
from tests.cli.conftest import Start
from tests.running import RunningService
from wintun_api.packet import build

PING = build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=1, data=bytes(8))


@pytest.fixture
def office(service: RunningService) -> dict[str, Any]:
    """An adapter that is named OfficeNet."""
    return service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("adapters/{guid}", "Its adapter was deleted."),
        ("sessions/{session}", "It was ended on request."),
    ],
)
def test_a_session_that_ends(
    service: RunningService, office: dict[str, Any], tmp_path: Path, path: str, why: str
) -> None:
    """Behind the totals stands that the session has ended and why, with exit code 0."""
    session = str(service.session(office)["id"])
    with capturing(service, tmp_path, [session], "OfficeNet") as process:
        service.http.delete(
            f"/v1/{path.format(guid=office['guid'], session=session)}"
        ).raise_for_status()
        _, err = process.communicate(timeout=PATIENCE)
    assert err.splitlines()[-1] == f"The session {session} has ended. {why}"
    assert process.returncode == 0


def test_its_own_limit(service: RunningService, office: dict[str, Any], tmp_path: Path) -> None:
    """A capture that has what was asked for says no more than its totals, in the singular too."""
    session = str(service.session(office)["id"])
    with capturing(service, tmp_path, [session], "OfficeNet", "-c", "1") as process:
        service.http.post(
            f"/v1/sessions/{session}/packets",
            content=PING,
            headers={"Content-Type": "application/octet-stream"},
        ).raise_for_status()
        _, err = process.communicate(timeout=PATIENCE)
    assert err == "1 packet captured, 36 bytes, 0 lost.\n"


def test_a_service_that_stops(start: Start) -> None:
    """A capture of all adapters ends with the service, and says so."""
    program = start("serve", "--driver", "emulated", "--port", "0")
    url, token = program.wait_for_url(), token_of(program)
    capture = start("capture", "--all", WINTUN_API_URL=url, WINTUN_API_TOKEN=token)
    capture.wait_for("waiting for one")
    program.end()
    assert capture.process.wait(PATIENCE) == 0
    assert capture.stderr.splitlines()[-1] == "The service has stopped."


def test_an_adapter_that_is_not_there(service: RunningService) -> None:
    """It is looked up before the command says that it waits."""
    unknown = "00000000-0000-0000-0000-000000000001"
    result = invoke("capture", "--adapter", unknown, **variables(service))
    assert result.exit_code == 5
    assert result.stderr.splitlines()[0] == f"No adapter has the GUID {unknown}."
