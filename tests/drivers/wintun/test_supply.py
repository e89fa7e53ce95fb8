from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.drivers.windows.library_files import library_file
from tests.drivers.wintun.genuine import GENUINE, needs_genuine, needs_windows
from tests.drivers.wintun.supplies import EXPORTS, GOOD
from wintun_api.drivers.base import Unavailable, UnavailableReason
from wintun_api.drivers.windows.image import MACHINES, Image, process_machine
from wintun_api.drivers.windows.signature import TRUST_E_BAD_DIGEST, TRUST_E_NOSIGNATURE, Signature
from wintun_api.drivers.wintun import library
from wintun_api.drivers.wintun.abi import Generation, exports_of
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.library import WintunDll
from wintun_api.drivers.wintun.releases import ARCHIVE, Release
from wintun_api.drivers.wintun.supply import Supply, candidates, find, held, judge, not_found
from wintun_api.errors import DriverUnavailable

UNTRUSTED_ROOT = 0x800B0109


def reason(supply: Supply, *, allow_unverified: bool = False) -> Unavailable:
    """Why a 64-bit process must not load the file."""
    found = judge(supply, "amd64", allow_unverified=allow_unverified)
    assert found is not None
    return found


def test_signed() -> None:
    """A file that Windows trusts and WireGuard LLC signed passes, whatever its hash."""
    assert judge(GOOD, "amd64", allow_unverified=False) is None


def test_known_hash() -> None:
    """A known release passes also where the chain cannot be checked."""
    for signature in (None, Signature(UNTRUSTED_ROOT, None)):
        known = replace(GOOD, release=Release("0.14.1", "amd64"), signature=signature)
        assert judge(known, "amd64", allow_unverified=False) is None


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (None, UnavailableReason.LIBRARY_UNVERIFIED),
        (Signature(TRUST_E_NOSIGNATURE, None), UnavailableReason.LIBRARY_UNSIGNED),
        (Signature(TRUST_E_BAD_DIGEST, "WireGuard LLC"), UnavailableReason.LIBRARY_TAMPERED),
        (Signature(UNTRUSTED_ROOT, "WireGuard LLC"), UnavailableReason.LIBRARY_UNVERIFIED),
        (Signature(0, "Somebody Else"), UnavailableReason.UNTRUSTED_SIGNER),
        (Signature(0, None), UnavailableReason.UNTRUSTED_SIGNER),
    ],
)
def test_unknown_origin(signature: Signature | None, expected: UnavailableReason) -> None:
    """Each way not to be known has its reason, says what to do, and can be allowed."""
    supply = replace(GOOD, signature=signature)
    assert reason(supply).reason is expected
    assert ARCHIVE in reason(supply).hint
    assert judge(supply, "amd64", allow_unverified=True) is None


def test_wrong_architecture() -> None:
    """A library for another machine is refused whoever made it, with the file to take."""
    supply = replace(GOOD, image=Image("arm64", EXPORTS))
    found = reason(supply, allow_unverified=True)
    assert found.reason is UnavailableReason.WRONG_ARCHITECTURE
    assert "wintun/bin/amd64/wintun.dll" in found.hint


def test_mixture() -> None:
    """A library with functions of both generations is refused whoever made it."""
    supply = replace(GOOD, image=Image("amd64", EXPORTS | exports_of(Generation.POOL)))
    assert reason(supply, allow_unverified=True).reason is UnavailableReason.LIBRARY_UNUSABLE


def test_other_file() -> None:
    """A file that is no library is refused whoever made it."""
    supply = replace(GOOD, image=None)
    assert reason(supply, allow_unverified=True).reason is UnavailableReason.LIBRARY_UNUSABLE


def test_candidates(tmp_path: Path) -> None:
    """A given file is the only one; else beside the program and in the data, and nowhere else."""
    given = tmp_path / "given.dll"
    assert candidates(given, tmp_path) == (given,)
    beside = Path(sys.executable).parent / "wintun.dll"
    assert candidates(None, tmp_path) == (beside, tmp_path / "wintun.dll")


def test_found_in_the_data(tmp_path: Path) -> None:
    """A file in the data directory is found, one in the working directory or on PATH is not."""
    (tmp_path / "wintun.dll").write_bytes(b"MZ")
    assert find(candidates(None, tmp_path)) == tmp_path / "wintun.dll"


def test_not_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither PATH nor the working directory is looked at."""
    (tmp_path / "wintun.dll").write_bytes(b"MZ")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find(candidates(None, tmp_path / "data")) is None
    assert find((Path("wintun.dll"),)) is None


def test_not_found(tmp_path: Path) -> None:
    """A missing file is named with every place, the download and the place to put it."""
    found = not_found((tmp_path / "a.dll", tmp_path / "b.dll"))
    assert found.reason is UnavailableReason.LIBRARY_NOT_FOUND
    assert str(tmp_path / "a.dll") in found.message
    assert str(tmp_path / "b.dll") in found.hint
    assert ARCHIVE in found.hint


def test_relative() -> None:
    """A relative path is refused with its own sentence."""
    assert "not an absolute path" in not_found((Path("wintun.dll"),)).message


def test_replaced_file(tmp_path: Path) -> None:
    """A file that was replaced is read again."""
    path = tmp_path / "wintun.dll"
    dll = WintunDll(path)
    assert dll.supply is None
    path.write_bytes(library_file(sorted(EXPORTS)))
    first = dll.generation
    assert first is Generation.TUNNEL_TYPE
    path.write_bytes(library_file(sorted(exports_of(Generation.POOL))))
    assert dll.generation is Generation.POOL


@needs_genuine
def test_genuine() -> None:
    """The genuine file is a known release of the version in its resource."""
    assert GENUINE is not None
    with held(GENUINE) as supply:
        assert supply.release is not None
        assert supply.image is not None
        assert supply.image.version == supply.release.version
        assert supply.image.machine == supply.release.machine
        assert supply.verified


@needs_windows
@needs_genuine
def test_genuine_signature() -> None:
    """Windows, or Wine, reads the genuine file's signature and finds its digest good."""
    assert GENUINE is not None
    with held(GENUINE) as supply:
        assert supply.signature is not None
        assert supply.signature.status not in (TRUST_E_BAD_DIGEST, TRUST_E_NOSIGNATURE)
        assert supply.signature.signer == "WireGuard LLC"


@needs_windows
@needs_genuine
@pytest.mark.parametrize("place", [0x1000, 0x5000, -0x8000])
def test_tampered(tmp_path: Path, place: int) -> None:
    """One byte changed in the genuine file is one too many, and nothing is loaded."""
    assert GENUINE is not None
    content = bytearray(GENUINE.read_bytes())
    content[place] ^= 1
    path = tmp_path / "wintun.dll"
    path.write_bytes(content)
    unavailable = WintunDll(path).unavailable_reason()
    assert unavailable is not None
    assert unavailable.reason in (
        UnavailableReason.LIBRARY_TAMPERED,
        UnavailableReason.LIBRARY_UNVERIFIED,  # the byte was one of the signature's own
    )
    with pytest.raises(DriverUnavailable) as caught:
        _ = WintunDll(path).functions
    assert caught.value.reason == unavailable.reason


@needs_windows
def test_unsigned(tmp_path: Path) -> None:
    """A file without a signature is refused as such, unless it is allowed."""
    path = tmp_path / "wintun.dll"
    number = next(number for number, name in MACHINES.items() if name == process_machine())
    path.write_bytes(library_file(sorted(EXPORTS), machine=number))
    unavailable = WintunDll(path).unavailable_reason()
    assert unavailable is not None
    assert unavailable.reason is UnavailableReason.LIBRARY_UNSIGNED
    assert "--allow-unverified-dll" in unavailable.hint
    allowed = WintunDll(path, allow_unverified=True).unavailable_reason()
    assert allowed is None or allowed.reason is UnavailableReason.NOT_ELEVATED


@needs_windows
def test_held_file_cannot_change(tmp_path: Path) -> None:
    """Nobody writes, renames or deletes the file between the check and the load."""
    path = tmp_path / "wintun.dll"
    path.write_bytes(library_file(sorted(EXPORTS)))
    with held(path):
        with pytest.raises(PermissionError):
            path.write_bytes(b"something else")
        with pytest.raises(PermissionError):
            path.rename(tmp_path / "other.dll")
        with pytest.raises(PermissionError):
            path.unlink()
    path.unlink()


@needs_windows
def test_file_being_written(tmp_path: Path) -> None:
    """A file that somebody has open for writing is not read half."""
    path = tmp_path / "wintun.dll"
    path.write_bytes(library_file(sorted(EXPORTS)))
    with path.open("r+b"):
        unavailable = WintunDll(path).unavailable_reason()
        assert unavailable is not None
        assert unavailable.reason is UnavailableReason.LIBRARY_UNUSABLE


@needs_windows
@needs_genuine
def test_looking_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where loading would delete adapters, the running version alone is no reason to load."""
    monkeypatch.setattr(library, "older_adapters", lambda: ["OpenVPN"])
    dll = WintunDll(GENUINE)
    assert dll.endangered() == ["OpenVPN"]
    assert WintunDriver(dll).running_driver_version() is None
    assert dll.endangered() == ["OpenVPN"]


def test_nothing_endangered(tmp_path: Path) -> None:
    """A library of 0.9 to 0.13 deletes nothing, nor does none at all."""
    path = tmp_path / "wintun.dll"
    assert WintunDll(path).endangered() == []
    path.write_bytes(library_file(sorted(exports_of(Generation.POOL))))
    assert WintunDll(path).endangered() == []
