"""The checks of doctor on Windows. They never load wintun.dll: 0.14 would delete adapters."""

from __future__ import annotations

from collections.abc import Iterator

from wintun_api.cli.outcome import Check, Outcome
from wintun_api.drivers.base import Driver
from wintun_api.drivers.windows.elevation import elevated
from wintun_api.drivers.windows.image import process_machine
from wintun_api.drivers.wintun import installed
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.library import WintunDll
from wintun_api.drivers.wintun.releases import download_hint
from wintun_api.drivers.wintun.supply import Supply
from wintun_api.settings import Settings

MIN_DRIVER = (0, 11)  # older ones corrupt memory and stop Windows


def examine(driver: Driver, settings: Settings) -> Iterator[Check]:
    """Check what the Wintun driver needs."""
    machine = process_machine()
    yield check_elevation(elevated())
    yield check_architecture(machine, installed.native_machine())
    library = driver.library if isinstance(driver, WintunDriver) else None
    supply = library.supply if isinstance(library, WintunDll) else None
    yield check_library(driver.library_path, supply, machine)
    if supply is not None:
        yield check_hash(supply)
        yield check_signer(supply, allowed=settings.allow_unverified_dll)
        yield check_generation(supply)
    yield check_driver_version(installed.driver_version())
    yield check_older_adapters(supply, installed.older_adapters())
    yield check_net_setup(installed.net_setup_disabled())


def check_elevation(is_elevated: bool) -> Check:
    """Check the rights of this process."""
    if is_elevated:
        return Check("elevation", Outcome.OK, "Administrator")
    hint = "Open a console with Run as administrator, and start the service there."
    return Check("elevation", Outcome.FAIL, "not elevated", hint)


def check_architecture(process: str | None, native: str | None) -> Check:
    """Check whether Python is built for this processor, and say which DLL it needs."""
    if process is None:
        return Check("architecture", Outcome.WARN, "unknown")
    if native in (None, process):
        return Check("architecture", Outcome.OK, process)
    hint = f"Use a Python for {native}: under emulation Windows cannot remove adapters."
    return Check("architecture", Outcome.WARN, f"{process} on {native}", hint)


def check_library(path: str | None, supply: Supply | None, machine: str | None) -> Check:
    """Check whether wintun.dll exists and can be loaded here."""
    if path is None:
        return Check("wintun.dll", Outcome.FAIL, "not found", download_hint(machine))
    if supply is None or supply.image is None:
        detail = f"{path} cannot be read as a Windows library"
        return Check("wintun.dll", Outcome.FAIL, detail, download_hint(machine))
    detail = f"{path}, version {supply.image.version or 'unknown'}, {supply.image.machine}"
    if supply.image.machine != machine:
        return Check("wintun.dll", Outcome.FAIL, detail, download_hint(machine))
    return Check("wintun.dll", Outcome.OK, detail)


def check_hash(supply: Supply) -> Check:
    """Check whether the file is a known release. Other files are judged by their signer."""
    if supply.release is None:
        return Check(
            "hash", Outcome.WARN, f"{supply.sha256}, not a release that this version knows"
        )
    detail = f"{supply.sha256}, wintun {supply.release.version} for {supply.release.machine}"
    return Check("hash", Outcome.OK, detail)


def check_signer(supply: Supply, *, allowed: bool) -> Check:
    """Check who signed the file, and whether Windows trusts the signature."""
    signature = supply.signature
    if signature is None:
        detail, good = "not checked", False
    else:
        status = "trusted" if signature.trusted else f"not trusted ({signature.status:#010x})"
        detail, good = f"{signature.signer or 'not signed'}, {status}", signature.trusted
    if supply.verified:
        return Check("signer", Outcome.OK if good else Outcome.WARN, detail)
    outcome = Outcome.WARN if allowed else Outcome.FAIL
    return Check("signer", outcome, detail, "Load only a file whose origin you know.")


def check_generation(supply: Supply) -> Check:
    """Check which Wintun API the file has."""
    if supply.generation is None:
        return Check("generation", Outcome.FAIL, "neither the API of 0.9 to 0.13 nor that of 0.14")
    return Check("generation", Outcome.OK, supply.generation.value)


def check_driver_version(version: str | None) -> Check:
    """Check the installed kernel driver, which another program may have installed."""
    if version is None:
        return Check("driver version", Outcome.OK, "not installed; the first adapter installs it")
    numbers = tuple(int(part) for part in version.split("."))
    if numbers < MIN_DRIVER:
        hint = "Drivers before 0.11 can crash Windows; a wintun.dll of 0.14 brings a newer one."
        return Check("driver version", Outcome.WARN, version, hint)
    return Check("driver version", Outcome.OK, version)


def check_older_adapters(supply: Supply | None, adapters: list[str]) -> Check:
    """Check for adapters that loading a 0.14 library would delete."""
    if not adapters:
        return Check("older adapters", Outcome.OK, "none")
    named = ", ".join(adapters)
    if supply is not None and supply.generation is Generation.POOL:
        return Check("older adapters", Outcome.OK, named)
    hint = "Loading wintun.dll 0.14 deletes them for every program; 0.9 to 0.13 keeps them."
    return Check("older adapters", Outcome.WARN, named, hint)


def check_net_setup(disabled: bool | None) -> Check:
    """Check the Windows service without which adapters do not come up."""
    if disabled is None:
        return Check("NetSetupSvc", Outcome.WARN, "unknown")
    if disabled:
        hint = "Run as Administrator: sc config NetSetupSvc start= demand"
        return Check("NetSetupSvc", Outcome.FAIL, "disabled; adapters would not come up", hint)
    return Check("NetSetupSvc", Outcome.OK, "not disabled")
