"""What doctor makes of a Windows machine; on Windows, or under Wine, also what it finds there."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from tests.drivers.wintun.genuine import GENUINE, needs_genuine, needs_windows
from tests.drivers.wintun.supplies import GOOD
from wintun_api.cli import windows_checks as checks
from wintun_api.cli.outcome import Outcome
from wintun_api.drivers.windows.image import Image
from wintun_api.drivers.windows.signature import TRUST_E_BAD_DIGEST, Signature
from wintun_api.drivers.wintun.abi import Generation, exports_of
from wintun_api.drivers.wintun.releases import Release
from wintun_api.drivers.wintun.supply import Supply

POOL = replace(GOOD, image=Image("amd64", exports_of(Generation.POOL), "0.13"))
KNOWN = replace(GOOD, release=Release("0.14.1", "amd64"))


def test_library() -> None:
    """The file is shown with version and machine; a missing one says what to download."""
    found = checks.check_library("/wintun.dll", POOL, "amd64")
    assert (found.outcome, found.detail) == (Outcome.OK, "/wintun.dll, version 0.13, amd64")
    assert checks.check_library("/wintun.dll", POOL, "arm64").outcome is Outcome.FAIL
    assert "wintun/bin/arm64/wintun.dll" in checks.check_library(None, None, "arm64").hint


def test_hash() -> None:
    """A known release is named."""
    assert "0.14.1 for amd64" in checks.check_hash(KNOWN).detail
    assert checks.check_hash(GOOD).outcome is Outcome.WARN


@pytest.mark.parametrize(
    ("supply", "allowed", "expected"),
    [
        (GOOD, False, Outcome.OK),
        (replace(KNOWN, signature=Signature(0x800B0109, "WireGuard LLC")), False, Outcome.WARN),
        (replace(GOOD, signature=Signature(TRUST_E_BAD_DIGEST, None)), False, Outcome.FAIL),
        (replace(GOOD, signature=Signature(0, "Somebody")), False, Outcome.FAIL),
        (replace(GOOD, signature=None), True, Outcome.WARN),
    ],
)
def test_signer(supply: Supply, allowed: bool, expected: Outcome) -> None:
    """A signer fails where the file would be refused."""
    assert checks.check_signer(supply, allowed=allowed).outcome is expected


def test_older_adapters() -> None:
    """They are a warning only when the library is one that deletes them."""
    assert checks.check_older_adapters(GOOD, []).outcome is Outcome.OK
    found = checks.check_older_adapters(GOOD, ["OpenVPN"])
    assert (found.outcome, found.detail) == (Outcome.WARN, "OpenVPN")
    assert "deletes" in found.hint
    assert checks.check_older_adapters(POOL, ["OpenVPN"]).outcome is Outcome.OK


def test_machine() -> None:
    """Emulation, an old kernel driver and a disabled service are told."""
    assert checks.check_architecture("amd64", "amd64").outcome is Outcome.OK
    assert checks.check_architecture("amd64", "arm64").outcome is Outcome.WARN
    assert checks.check_driver_version(None).outcome is Outcome.OK
    assert checks.check_driver_version("0.14").outcome is Outcome.OK
    assert checks.check_driver_version("0.10.2").outcome is Outcome.WARN
    assert checks.check_net_setup(True).outcome is Outcome.FAIL
    assert checks.check_net_setup(False).outcome is Outcome.OK
    assert checks.check_elevation(False).outcome is Outcome.FAIL


@needs_windows
@needs_genuine
def test_genuine(tmp_path: Path) -> None:
    """Doctor shows all of the genuine file without loading it."""
    assert GENUINE is not None
    result = invoke(
        "doctor", "--json", "--port", "0", "--wintun-dll", str(GENUINE),
        WINTUN_API_DATA_DIR=str(tmp_path),
    )  # fmt: skip
    found = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert str(GENUINE.name) in found["wintun.dll"]["detail"]
    assert "wintun 0.14.1 for" in found["hash"]["detail"]
    assert found["signer"]["detail"].startswith("WireGuard LLC")
    assert found["generation"]["detail"] == "tunnel-type"
    assert {"elevation", "architecture", "driver version", "older adapters"} <= set(found)
    assert {"NetSetupSvc", "port", "token"} <= set(found)
    assert not loaded("wintun.dll")


def loaded(name: str) -> bool:
    """Whether this process has a library of this name."""
    import ctypes

    return sys.platform == "win32" and bool(ctypes.WinDLL("kernel32").GetModuleHandleW(name))
