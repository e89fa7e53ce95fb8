"""The checks of doctor. They change nothing and never load wintun.dll."""

from __future__ import annotations

import importlib.util
import os
import platform
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wintun_api import __version__, native, variables
from wintun_api.address import url_at
from wintun_api.api.certificate import check_pem_files
from wintun_api.api.data_directory import read_secret
from wintun_api.api.listener import close, listen
from wintun_api.api.tokens import MAX_LENGTH, parse_admin_token
from wintun_api.capture.filters import binding
from wintun_api.choices import Native
from wintun_api.cli import running
from wintun_api.cli.hints import hint_for
from wintun_api.cli.outcome import Check, Outcome
from wintun_api.cli.python_holes import Version, holes_of
from wintun_api.client import operations
from wintun_api.client.call import Call
from wintun_api.client.location import read_token, trust_only
from wintun_api.client.problems import ClientError, CredentialError, ProblemError
from wintun_api.client.synchronous import Client
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Driver
from wintun_api.drivers.base import UnavailableReason as Reason
from wintun_api.errors import FilterUnavailable, WintunApiError
from wintun_api.files import UntrustedFile
from wintun_api.paste import trimmed
from wintun_api.settings import Settings

ON_WINDOWS: bool = sys.platform == "win32"
ON_LINUX: bool = sys.platform == "linux"
MIN_PYTHON = (3, 11)
UNAUTHORIZED = 401  # the status of an answer to a request without a valid token
PATIENCE = 3.0  # seconds a running service has to answer
# From a clone: the project is not published, so its name in an index may be another's.
INSTALL_SPEED = "pip install '.[speed]' in the directory of the source code"


def examine(settings: Settings) -> Iterator[Check]:
    """Run all checks, beginning with what the others depend on."""
    yield check_python()
    yield check_platform()
    yield check_loop()
    yield check_native(settings)
    yield check_filters()
    try:
        driver = open_driver(settings.driver, settings)
    except WintunApiError as error:
        yield Check("driver", Outcome.FAIL, str(error), hint_for(error))
        return
    try:
        yield check_driver(driver)
        yield from check_machine(driver, settings)
        yield check_data_dir(settings.data_dir)
        yield check_token_file(settings.token_path)
        if settings.tls_certificate is not None:
            tls = check_tls(settings.tls_certificate, settings.tls_key)
            yield tls
            if tls.outcome is Outcome.FAIL:
                return
        yield from check_service(settings, driver)
    finally:
        driver.close()


def check_python(version: Version = sys.version_info[:3]) -> Check:
    """Check the version of Python, and name the security holes that it has."""
    found = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    if version < MIN_PYTHON:
        return Check("python", Outcome.FAIL, found, "Use Python 3.11 or newer.")
    holes = holes_of(version, windows=ON_WINDOWS)
    if not holes:
        return Check("python", Outcome.OK, found)
    names = ", ".join(hole.name for hole in holes)
    hint = " ".join(f"{hole.name}: {hole.effect} {hole.advice}" for hole in holes)
    return Check("python", Outcome.WARN, f"{found}, which has {names}", hint)


def check_platform() -> Check:
    """Name the system; each one can run some driver."""
    return Check("platform", Outcome.OK, f"{platform.platform()}, {platform.machine()}")


def check_loop() -> Check:
    """Check whether the faster event loop is installed."""
    if ON_WINDOWS:
        return Check("event loop", Outcome.OK, "asyncio")
    if importlib.util.find_spec("uvloop") is None:
        hint = f"For more packets per second, install uvloop: {INSTALL_SPEED}"
        return Check("event loop", Outcome.WARN, "asyncio; uvloop is not installed", hint)
    return Check("event loop", Outcome.OK, "uvloop")


def check_driver(driver: Driver) -> Check:
    """Check whether the driver can work here."""
    reason = driver.unavailable_reason()
    if reason is None:
        return Check("driver", Outcome.OK, f"{driver.name} ({driver.capabilities.generation})")
    return Check("driver", Outcome.FAIL, f"{driver.name}: {reason.message}", reason.hint)


def check_machine(driver: Driver, settings: Settings) -> Iterator[Check]:
    """Check what the driver needs of this machine, unless it is emulated or for another system."""
    reason = driver.unavailable_reason()
    if not driver.lasting or (reason is not None and reason.reason is Reason.WRONG_PLATFORM):
        return
    if ON_WINDOWS:
        from wintun_api.cli import windows_checks

        yield from windows_checks.examine(driver, settings)
    elif ON_LINUX:
        yield _check_tun_device()
        yield _check_net_admin()


def _check_tun_device() -> Check:
    from wintun_api.drivers.linux import availability, tun

    missing = availability.missing_device()
    if missing is None:
        return Check("tun device", Outcome.OK, str(tun.TUN_DEVICE))
    return Check("tun device", Outcome.FAIL, missing.message, missing.hint)


def _check_net_admin() -> Check:
    from wintun_api.drivers.linux import availability

    missing = availability.missing_right()
    if missing is None:
        return Check("CAP_NET_ADMIN", Outcome.OK, "effective over this network")
    return Check("CAP_NET_ADMIN", Outcome.FAIL, missing.message, missing.hint)


def check_native(settings: Settings) -> Check:
    """Check whether packets are handled by the C extension."""
    if settings.native is Native.OFF:
        return Check("extension", Outcome.OK, "off; packets are handled in Python")
    absence = native.absence()
    if absence is None:
        return Check("extension", Outcome.OK, "in use; packets are handled in C")
    detail = f"not in use; packets are handled in Python. {absence.reason}"
    return Check("extension", Outcome.WARN, detail, absence.hint)


def check_filters() -> Check:
    """Check whether filters can be compiled, and with which libpcap."""
    try:
        binding.library()
    except FilterUnavailable as error:
        return Check("filters", Outcome.WARN, str(error), hint_for(error))
    return Check("filters", Outcome.OK, f"libpcap {binding.version()}")


def check_data_dir(path: Path) -> Check:
    """Check whether the service could write to its data directory."""
    there = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
    if not there.is_dir():
        detail = f"{path}: {there} is not a directory"
    elif not os.access(there, os.W_OK | os.X_OK):
        detail = f"{path} cannot be written by this user"
    else:
        return Check(
            "data",
            Outcome.OK,
            str(path) if there == path else f"{path}; the service creates it when it starts",
        )
    return Check("data", Outcome.FAIL, detail, "Give another directory with --data-dir.")


def check_token_file(path: Path) -> Check:
    """Check whether the token file exists, can be read, and is private."""
    open_to: list[str] = []
    try:
        content = read_secret(path, MAX_LENGTH, open_to.append, repair=False)
        if content.strip() and open_to:
            hint = f"Make it private: chmod 600 {path}"
            return Check("token", Outcome.WARN, f"{path} can be read by other users", hint)
        parse_admin_token(content, path)
    except FileNotFoundError:
        return Check("token", Outcome.OK, f"{path}; the service creates it when it starts")
    except UntrustedFile as error:
        return Check("token", Outcome.FAIL, str(error), hint_for(error))
    except OSError as error:
        hint = "Run doctor as the user of the service, or give another file with --token-file."
        return Check("token", Outcome.FAIL, f"{path}: {error.strerror or error}", hint)
    return Check("token", Outcome.OK, str(path))


def check_tls(certificate: Path, key: Path | None) -> Check:
    """Check whether the certificate and its key can be used."""
    try:
        check_pem_files(certificate, key)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        hint = "Give PEM files with --tls-certificate and --tls-key."
        return Check("tls", Outcome.FAIL, f"{certificate}: {error}", hint)
    return Check("tls", Outcome.OK, str(certificate))


def check_service(settings: Settings, driver: Driver) -> Iterator[Check]:
    """Check the port, and the service that answers there."""
    try:
        sockets = listen(settings.host, settings.port)
    except OSError as error:
        if not running.in_use(error):
            detail = f"{settings.host} port {settings.port}: {error.strerror or error}"
            hint = "Choose another address with --host and --port."
            yield Check("port", Outcome.FAIL, detail, hint)
            return
    else:
        close(sockets)
        detail = "a free one" if settings.port == 0 else f"{settings.port} is free"
        yield Check("port", Outcome.OK, detail)
        yield from _check_own_adapters(driver)
        return
    url = url_at(settings, settings.port)
    certificate, token = settings.tls_certificate, _token(settings.token_path)
    tls = None if certificate is None else trust_only(certificate)
    with Client(url, token=token or "", timeout=PATIENCE, tls=tls) as client:
        health, _ = _ask(client, operations.get_health())
        if not (isinstance(health, dict) and health.get("status") == "ok"):
            detail = f"{settings.port} is in use by another program"
            yield Check("port", Outcome.FAIL, detail, "Choose another port with --port.")
            return
        yield Check("port", Outcome.OK, f"a service answers at {url}")
        system, status = _ask(client, operations.get_system())
        if not isinstance(system, dict):
            detail = f"it does not accept the token in {settings.token_path} (HTTP status {status})"
            hint = "Give the token file that the service printed when it started with --token-file."
            yield Check("service", Outcome.WARN, detail, hint)
            return
        yield _check_version(system)
        adapters, status = _ask(client, operations.list_adapters())
        if isinstance(adapters, list):
            yield _list_adapters([str(one["name"]) for one in adapters])
        else:
            hint = "See what wintun-api adapters list says."
            yield Check(
                "adapters",
                Outcome.WARN,
                f"the service does not list them (HTTP status {status})",
                hint,
            )


def _check_version(system: dict[str, Any]) -> Check:
    detail = f"version {system['version']}, driver {system['driver']}"
    unavailable = system["unavailable"]
    if unavailable is not None:
        detail = f"{detail}: {unavailable['message']}"
        return Check("service", Outcome.WARN, detail, unavailable["hint"])
    if system["version"] != __version__:
        hint = f"This command is {__version__}: start the service again to run the same version."
        return Check("service", Outcome.WARN, detail, hint)
    return Check("service", Outcome.OK, detail)


def _check_own_adapters(driver: Driver) -> Iterator[Check]:
    # The kernel can be asked without a service; a library would have to be loaded.
    if driver.lasting and driver.library_path is None and driver.unavailable_reason() is None:
        try:
            yield _list_adapters([info.name for info in driver.adapters()])
        except WintunApiError as error:
            yield Check("adapters", Outcome.WARN, str(error), hint_for(error))


def _list_adapters(names: list[str]) -> Check:
    return Check("adapters", Outcome.OK, ", ".join(sorted(names)) or "none")


def _token(path: Path) -> str | None:
    try:
        token = trimmed(os.environ.get(variables.TOKEN, "")) or read_token(path)
    except (OSError, UnicodeDecodeError):
        return None
    return token if token.isascii() and token.isprintable() else None


def _ask(client: Client, call: Call[Any]) -> tuple[Any, int]:
    """Return the answer and its status; None, and 0 where no service has answered."""
    try:
        status, answer = client.exchange(call.as_json())
    except ProblemError as error:
        return None, error.status
    except CredentialError:
        return None, UNAUTHORIZED
    except ClientError:
        return None, 0
    return answer, status
