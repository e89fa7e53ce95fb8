"""Errors are ordinary exceptions with fields, and say nothing that no driver returned."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import wintun_api
from wintun_api import client, errors
from wintun_api.api.data_directory import DataDirectoryInUse
from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal
from wintun_api.files import UntrustedFile
from wintun_api.fleet import problems

PACKAGE = Path(wintun_api.__file__).parent
GUID = UUID("deadbabe-cafe-beef-0123-456789abcdef")

SAMPLES: list[errors.WintunApiError] = [
    errors.InvalidArgument("mtu", "is too small.", hint="Use 1420."),
    errors.InvalidSettings("one", "two"),
    errors.InvalidPacket("too_short", "2 bytes."),
    errors.FrameError("magic", "It does not begin with WTB1."),
    errors.DriverUnavailable("library_not_found", "There is none.", hint="Get it."),
    errors.DriverBusy("create_adapter", 30.0, detail="It hangs."),
    errors.OutOfThreads(),
    errors.SessionNotFound("s1"),
    errors.ImpairmentNotFound("s1"),
    errors.InvalidFilter("tcp prot 80", "syntax error", 4),
    errors.FilterUnavailable("There is no libpcap.", hint="Install it."),
    errors.FiltersBusy(),
    errors.RecorderNotFound("s1"),
    errors.TooManyReaders(4),
    errors.RecordersFull(1000, 900),
    errors.CaptureNotFound("c1", 3),
    errors.CaptureOver("c1"),
    errors.CapturesFull(1000, 1000),
    errors.TooManyCaptures("captures", 16),
    errors.ServiceStopping(),
    errors.TokenEnded(),
    errors.ClientNotFound("c1"),
    errors.TokenNotFound("t1"),
    errors.TooManyTokens(1024),
    errors.StorageFailed("The disk is full."),
    errors.DriverError("WintunCreateAdapter", 0x80070005, "No."),
    errors.AccessDenied.from_call("TUNSETIFF", 1, domain="errno"),
    errors.AdapterNotFound(GUID),
    errors.AdapterUnavailable.from_call("WintunStartSession", 2, "Disabled.", adapter=GUID),
    errors.AdapterExists("OfficeNet", GUID),
    errors.AddressExists.from_call("CreateUnicastIpAddressEntry", 5010),
    errors.RouteExists(detail="0.0.0.0/0: taken.", hint="Choose another metric."),
    errors.SettingRefused.from_call("RTM_NEWADDR", 13, domain="errno"),
    errors.DriverInUse.from_call("WintunDeleteDriver", 0xE000023D),
    errors.SessionExists(GUID, "s1"),
    errors.SessionEnded("s1", "The adapter is gone."),
    errors.RingCorrupt.from_call("WintunReceivePacket", 13),
    errors.NotSupported(),
    errors.CreatedElsewhere(),
    UntrustedFile("/etc/x belongs to another user.", hint="Remove it."),
    DataDirectoryInUse("Another service uses /var/lib/x."),
    Refusal(Kind.BAD_HANDSHAKE, "No.", headers=(("Upgrade", "websocket"),), status=426),
    client.ClientError("It is closed.", hint="Make another one."),
    client.ProblemError(
        429, {"type": "urn:wintun-api:problem:too-many-guesses", "log": ["x"]}, retry_after=7.0
    ),
    client.ServiceUnreachable("http://x", "Nothing answers.", kind="refused", better="https://x"),
    client.NotTheService("http://x", "Another program answers.", kind="other", status=404),
    client.CredentialError("the file x", "There is no token file x.", kind="missing"),
    client.FilterRefused("tcp prot 80", "syntax error", 4),
    client.UnexpectedAnswer("get_system", "It does not fit.", answer={"a": 1}),
    *(
        kind("Nothing answers.", hint="Start it.")
        for kind in vars(problems).values()
        if isinstance(kind, type)
        and issubclass(kind, problems.FleetError)
        and kind not in {problems.FleetError, problems.BusDenied, problems.NobodyAnswers}
    ),
    problems.FleetError("It failed.", hint="Try again."),
    problems.BusDenied("It is not allowed.", subject="wt.lab.m.a", hint="Ask for a key."),
    problems.NobodyAnswers("Nothing answers.", subject="wt.lab.api.a"),
    *(
        kind(code, "Why.", "It has ended.", hint="Connect again.")
        for kind, code in (
            (client.StreamClosed, 1011),
            (client.ConnectionLost, 1006),
            (client.TokenRevoked, 4001),
            (client.Disconnected, 4002),
            (client.ScopeMissing, 4003),
            (client.TooSlow, 4008),
            (client.FrameRefused, 4010),
        )
    ),
]


WITHIN = ("wintun_api.fleet.bus.nats.jetstream",)


def tree(cls: type[errors.WintunApiError] = errors.WintunApiError) -> Iterator[Any]:
    """Every class of the package below this one, but for those that do not leave their room."""
    for child in cls.__subclasses__():
        if child.__module__.startswith("wintun_api.") and child.__module__ not in WITHIN:
            yield child
            yield from tree(child)


def test_every_class_has_a_sample() -> None:
    """The tests below leave no error of the tree out."""
    assert set(tree()) - {errors.AdapterError} == {type(sample) for sample in SAMPLES}


def same(one: errors.WintunApiError, other: errors.WintunApiError) -> bool:
    """Whether two errors say the same, in all their fields."""
    return (
        type(one) is type(other)
        and one is not other
        and str(one) == str(other)
        and one.args == other.args
        and vars(one) == vars(other)
    )


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling(error: errors.WintunApiError, protocol: int) -> None:
    """An error that is pickled has its class, its text and its fields afterwards."""
    assert same(pickle.loads(pickle.dumps(error, protocol)), error)


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_copying(error: errors.WintunApiError) -> None:
    """A copy says the same, and notes that were added to it stay with it."""
    copied = copy.copy(error)
    assert same(copied, error)
    assert same(copy.deepcopy(error), error)
    copied.add_note("during the test")
    assert copied.__notes__ == ["during the test"]
    assert copy.copy(copied).__notes__ == ["during the test"]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_passing_through_context_managers(error: errors.WintunApiError) -> None:
    """A generator's context manager and a stack let an error through as it is."""

    @contextmanager
    def passing() -> Iterator[None]:
        yield

    with pytest.raises(type(error)) as caught, ExitStack() as stack, passing():
        stack.enter_context(passing())
        raise copy.copy(error)
    assert str(caught.value) == str(error)
    assert caught.value.__traceback__ is not None


def test_a_call_is_named_only_where_one_failed() -> None:
    """An error has a function and a number if a driver returned them, under their own names."""
    own = errors.SessionExists(GUID, "s1")
    assert (own.failed, own.function, own.win32_code, own.errno) == (None, None, None, None)
    assert str(own) == "The adapter already has the session s1."
    windows = errors.SessionExists.from_call("WintunStartSession", 1247, adapter=GUID)
    assert (windows.win32_code, windows.errno) == (1247, None)
    assert str(windows).endswith("(WintunStartSession: win32 error 1247)")
    linux = errors.SessionExists.from_call("TUNSETIFF", 16, domain="errno")
    assert (linux.win32_code, linux.errno) == (None, 16)
    assert str(errors.DriverError("resolvectl", detail="It failed.")) == "It failed. (resolvectl)"


def test_a_busy_driver_is_a_true_sentence() -> None:
    """A call that was refused at once does not claim to have run for 0 s."""
    assert str(errors.DriverBusy("hang", 30)) == "hang is still running after 30 s."
    refused = str(errors.DriverBusy("create_adapter", unfinished=32))
    assert refused == "create_adapter was not begun: 32 earlier operations are unfinished."
    assert " 0 s" not in str(errors.DriverBusy("set_mtu", 0.2, ahead="create_adapter"))


@pytest.mark.parametrize("place", ["errors.py", "hub", "drivers"])
def test_the_lower_floors_know_no_route(place: str) -> None:
    """Errors, hub and drivers give no advice in the words of HTTP."""
    found = PACKAGE / place
    for path in [found] if found.is_file() else sorted(found.rglob("*.py")):
        text = path.read_text("utf-8")
        assert "/v1" not in text, path
        assert "send the request" not in text.lower(), path


def test_the_service_invents_no_number() -> None:
    """No place above the drivers makes an error with a number of Windows."""
    for path in [*(PACKAGE / "hub").rglob("*.py"), *(PACKAGE / "api").glob("*.py")]:
        text = path.read_text("utf-8")
        assert "1247" not in text, path
        assert "1168" not in text, path
        assert ".from_call(" not in text, path
