"""What doctor looks at on Windows. It never loads wintun.dll: a 0.14 one would delete adapters."""

from __future__ import annotations

from collections.abc import Iterator

from wintun_api.cli.checks import Check, Outcome
from wintun_api.drivers.base import Driver
from wintun_api.drivers.wintun import installed
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.image import process_machine
from wintun_api.drivers.wintun.library import WintunDll
from wintun_api.drivers.wintun.releases import download_hint
from wintun_api.drivers.wintun.supply import Supply
from wintun_api.drivers.wintun.win32 import elevated
from wintun_api.settings import Settings

MIN_DRIVER = (0, 11)  # older ones corrupt memory and stop Windows


def examine(driver: Driver, settings: Settings) -> Iterator[Check]:
    """Look at what the Wintun driver needs, one by one."""
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
    """Look at the rights of this process."""
    if is_elevated:
        return Check("elevation", Outcome.OK, "Administrator")
    hint = "Start the service from a console that was opened as Administrator."
    return Check("elevation", Outcome.FAIL, "not elevated", hint)


def check_architecture(process: str | None, native: str | None) -> Check:
    """Look whether the interpreter is the computer's own kind, and say which DLL it needs."""
    if process is None:
        return Check("architecture", Outcome.WARN, "unknown")
    if native in (None, process):
        return Check("architecture", Outcome.OK, process)
    hint = f"Use Python for {native}: under emulation Windows fails to remove adapters."
    return Check("architecture", Outcome.WARN, f"{process} on {native}", hint)


def check_library(path: str | None, supply: Supply | None, machine: str | None) -> Check:
    """Look at the file."""
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
    """Look whether the file is a known release. Others pass by their signer."""
    if supply.release is None:
        return Check("hash", Outcome.WARN, f"{supply.sha256}, no release known here")
    detail = f"{supply.sha256}, wintun {supply.release.version} for {supply.release.machine}"
    return Check("hash", Outcome.OK, detail)


def check_signer(supply: Supply, *, allowed: bool) -> Check:
    """Look who signed the file, and whether Windows trusts that."""
    signature = supply.signature
    if signature is None:
        detail, good = "not checked", False
    else:
        status = "trusted" if signature.trusted else f"not trusted ({signature.status:#010x})"
        detail, good = f"{signature.signer or 'nobody'}, {status}", signature.trusted
    if supply.verified:
        return Check("signer", Outcome.OK if good else Outcome.WARN, detail)
    outcome = Outcome.WARN if allowed else Outcome.FAIL
    return Check("signer", outcome, detail, "Load only a file of which you know who built it.")


def check_generation(supply: Supply) -> Check:
    """Look which API the file has."""
    if supply.generation is None:
        return Check("generation", Outcome.FAIL, "neither that of 0.9 to 0.13 nor that of 0.14")
    return Check("generation", Outcome.OK, supply.generation.value)


def check_driver_version(version: str | None) -> Check:
    """Look at the kernel driver that is installed, perhaps by another program."""
    if version is None:
        return Check("driver version", Outcome.OK, "not installed; the first adapter installs it")
    numbers = tuple(int(part) for part in version.split("."))
    if numbers < MIN_DRIVER:
        hint = "Older drivers than 0.11 can stop Windows; a DLL of 0.14 brings a newer one."
        return Check("driver version", Outcome.WARN, version, hint)
    return Check("driver version", Outcome.OK, version)


def check_older_adapters(supply: Supply | None, adapters: list[str]) -> Check:
    """Look for what loading a 0.14 library would delete."""
    if not adapters:
        return Check("older adapters", Outcome.OK, "none")
    named = ", ".join(adapters)
    if supply is not None and supply.generation is Generation.POOL:
        return Check("older adapters", Outcome.OK, named)
    hint = "Loading wintun.dll 0.14 deletes them, for every program; one of 0.9 to 0.13 keeps them."
    return Check("older adapters", Outcome.WARN, named, hint)


def check_net_setup(disabled: bool | None) -> Check:
    """Look at the service of Windows without which no adapter comes up."""
    if disabled is None:
        return Check("NetSetupSvc", Outcome.WARN, "not known here")
    if disabled:
        hint = "Run as Administrator: sc config NetSetupSvc start= demand"
        return Check("NetSetupSvc", Outcome.FAIL, "disabled; no adapter would come up", hint)
    return Check("NetSetupSvc", Outcome.OK, "not disabled")
