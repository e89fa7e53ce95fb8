"""Declare every setting of the service, once: `Settings` is the whole list.

Every field is a flag of `wintun-api serve`, an environment variable (`WINTUN_API_` followed by the
field's name in capitals) and a key of the TOML file that `--config` names. A variable that holds
several names separates them by commas. Neither pydantic nor typer is needed to know the settings.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, Self

from wintun_api.choices import DriverName, Generation, Native, Offload, ServiceLogLevel
from wintun_api.declaration import PREFIX, Declaration, declarations, setting
from wintun_api.errors import InvalidSettings
from wintun_api.limits import MAX_COUNT, MIN_RECORDER_BYTES

# Bounds for numbers that have no others: a larger number is a mistake, and the system's error for
# it would not name the setting.
LONGEST = 1_000_000.0  # seconds
LARGEST = 2**31 - 1

LISTENING = "Where it listens"
ACCESS = "Who may use it"
DRIVING = "Which driver it uses"
KEEPING = "How long it waits, and how much it keeps"
PACKETS = "The packet path"
LOGGING = "What it logs"

# Which commands take a setting as an option. "service" is what Windows runs, and its installation.
SERVE = frozenset({"serve"})
SERVICE = SERVE | {"service"}
COMMON = SERVICE | {"doctor"}


def default_driver() -> DriverName:
    """Return the real driver of this platform, or the emulated one if there is none."""
    drivers = {"win32": DriverName.WINTUN, "linux": DriverName.LINUX}
    return drivers.get(sys.platform, DriverName.EMULATED)


def default_data_dir() -> Path:
    """Return where tokens and known pools are kept: machine-wide for a privileged user.

    Raises:
        InvalidSettings: This user has no home directory, as in a container that runs as a number.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "wintun-api"
    else:  # noqa: RET505 - so that the type checker reads it on its own platform alone
        if os.geteuid() == 0:
            return Path("/var/lib/wintun-api")
        import platformdirs  # slow, and only this user needs it

        try:
            return Path(platformdirs.user_state_dir("wintun-api", appauthor=False))
        except RuntimeError:
            raise InvalidSettings(
                "This user has no home directory to keep the service's data in. "
                f"Set {PREFIX}DATA_DIR to a folder, or HOME."
            ) from None


def _networks(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            raise ValueError(f"{name!r} is not an address or a network") from None
    return names


def _host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if re.fullmatch(r"(\[?[0-9A-Fa-f:.]+\]?|[A-Za-z0-9._-]+)(:\d{1,5})?", name) is None:
            raise ValueError(
                f"{name!r} is not a host name; give the name alone, such as wintun.example.com, "
                "without https:// and without *"
            )
    return names


def _host(name: str) -> str:
    # As in a URL; the system's functions take an IPv6 address without brackets only.
    inner = name.removeprefix("[").removesuffix("]")
    if inner == name:
        return name
    try:
        ipaddress.IPv6Address(inner if name == f"[{inner}]" else name)
    except ValueError:
        raise ValueError(
            f"{name!r} is not an address to listen on; only an IPv6 address may have brackets, "
            "such as [::1], and a port is given by itself"
        ) from None
    return inner


def _absolute(path: Any) -> Any:
    # A relative path would be looked for in directories where any user may have put a DLL. A
    # Windows path is absolute here too, so that a settings file can be checked on another machine.
    if isinstance(path, Path) and not (path.is_absolute() or PureWindowsPath(path).is_absolute()):
        raise ValueError("must be an absolute path")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold what the service needs to know before it starts; constant while it runs.

    Raises:
        InvalidSettings: Two settings do not fit together. `load` checks each by itself as well.
    """

    host: str = setting(
        "127.0.0.1",
        group=LISTENING,
        commands=COMMON | {"demo", "health"},
        check=_host,
        help="The IP address to listen on.",
    )
    port: int = setting(
        9886,
        group=LISTENING,
        commands=COMMON | {"demo", "health"},
        at_least=0,
        at_most=65535,
        help="The TCP port; 0 takes a free one.",
    )
    allowed_hosts: tuple[str, ...] = setting(
        (),
        group=LISTENING,
        commands=SERVE,
        flag="--allowed-host",
        check=_host_names,
        help="A host name to accept besides the loopback names.",
    )
    tls_certificate: Path | None = setting(
        None,
        group=LISTENING,
        commands=SERVE | {"health"},
        help="The PEM file with the certificate. With it the service uses TLS.",
    )
    tls_key: Path | None = setting(
        None,
        group=LISTENING,
        commands=SERVE,
        help="The PEM file with the key of the certificate.",
    )
    allow_insecure_bind: bool = setting(
        False,
        group=LISTENING,
        commands=SERVE,
        help="Listen on other addresses than loopback without TLS. Tokens are then sent "
        "unencrypted.",
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        group=LISTENING,
        commands=SERVE,
        flag="--trusted-proxy",
        check=_networks,
        help="The address or network of a reverse proxy whose X-Forwarded-For and "
        "X-Forwarded-Proto headers are trusted.",
    )
    data_dir: Path = setting(
        factory=default_data_dir,
        group=ACCESS,
        commands=COMMON | {"health"},
        help="The directory for tokens, the list of pools and named captures.",
    )
    token_file: Path | None = setting(
        None,
        group=ACCESS,
        commands=COMMON,
        words="the file token in the data directory",
        help="The file with the admin token. It is created if it is missing.",
    )
    guesses_per_minute: int = setting(
        100,
        group=ACCESS,
        commands=SERVE,
        at_least=1,
        at_most=LARGEST,
        help="How many wrong tokens one address may send in a minute. Further ones are answered "
        "with 429; a valid token is always accepted.",
    )
    driver: DriverName = setting(
        factory=default_driver,
        group=DRIVING,
        commands=COMMON,
        words="the real driver of this system, or emulated if it has none",
        help="The driver to use.",
    )
    wintun_dll: Path | None = setting(
        None,
        group=DRIVING,
        commands=COMMON,
        words="the one beside the Python executable or in the data directory",
        check=_absolute,
        resolved=True,
        help="The wintun.dll to load.",
    )
    allow_unverified_dll: bool = setting(
        False,
        group=DRIVING,
        commands=COMMON,
        help="Load a wintun.dll that is not a known release and not signed by WireGuard LLC, such "
        "as your own build.",
    )
    generation: Generation = setting(
        Generation.POOL,
        group=DRIVING,
        commands=SERVE | {"demo"},
        help="The Wintun API that the emulated driver follows: pool is that of 0.9 to 0.13, "
        "tunnel-type that of 0.14.",
    )
    traffic: float = setting(
        0.0,
        group=DRIVING,
        commands=SERVE | {"demo"},
        at_least=0,
        at_most=100_000,
        help="How many packets per second the emulated driver generates.",
    )
    emulated_state: Path | None = setting(
        None,
        group=DRIVING,
        commands=SERVE,
        help="A file that keeps the adapters of the emulated driver across restarts.",
    )
    pools: tuple[str, ...] = setting(
        (),
        group=DRIVING,
        commands=SERVE,
        flag="--pool",
        help="A pool to list besides those that the service has used.",
    )
    management_timeout: float = setting(
        30.0,
        group=KEEPING,
        commands=SERVE,
        above=0,
        at_most=LONGEST,
        help="How many seconds a request waits for a driver call.",
    )
    grace_period: float = setting(
        5.0,
        group=KEEPING,
        commands=SERVE,
        at_least=0,
        at_most=3600,
        help="How many seconds clients that hold an adapter have to come back before the session "
        "or the adapter ends with them, unless they ask for another time.",
    )
    request_timeout: float = setting(
        15.0,
        group=KEEPING,
        commands=SERVE,
        above=0,
        at_most=LONGEST,
        help="How many seconds a client has to send a request or to begin TLS. After them it is "
        "answered with 408.",
    )
    idle_timeout: float = setting(
        30.0,
        group=KEEPING,
        commands=SERVE,
        above=0,
        at_most=LONGEST,
        help="How many seconds an idle connection is kept open for another request.",
    )
    max_connections: int = setting(
        1024,
        group=KEEPING,
        commands=SERVE,
        at_least=1,
        at_most=LARGEST,
        help="How many connections there can be at a time, or fewer if the limit of open files is "
        "lower. Beyond that, a new one closes the oldest that has not sent a request.",
    )
    event_history: int = setting(
        1000,
        group=KEEPING,
        commands=SERVE,
        at_least=1,
        at_most=LARGEST,
        help="How many events are kept for clients that connect again.",
    )
    captures_bytes: int = setting(
        10 * 1024**3,
        group=KEEPING,
        commands=SERVE,
        at_least=0,
        at_most=MAX_COUNT,
        in_bytes=True,
        help="How many bytes of the data directory all named captures together may take. Beyond "
        "that, a capture deletes its own oldest file if it may, or ends; with 0 none can be "
        "started.",
    )
    burst_packets: int = setting(
        1024,
        group=PACKETS,
        commands=SERVE,
        at_least=1,
        at_most=65535,
        help="How many packets are read at a time: more is more efficient, fewer is fairer to "
        "other sessions.",
    )
    burst_bytes: int = setting(
        131072,
        group=PACKETS,
        commands=SERVE,
        at_least=2048,
        at_most=LARGEST,
        in_bytes=True,
        help="About how many bytes are read at a time: more saves writes, until the processor's "
        "caches overflow.",
    )
    message_bytes: int = setting(
        131072,
        group=PACKETS,
        commands=SERVE,
        at_least=2048,
        at_most=LARGEST,
        in_bytes=True,
        help="Up to how many bytes queued packets share a message: more means fewer but later "
        "messages.",
    )
    queue_packets: int = setting(
        65536,
        group=PACKETS,
        commands=SERVE,
        at_least=1,
        at_most=LARGEST,
        help="The size of a subscriber's queue in packets, unless it asks for less. A larger queue "
        "survives longer pauses of the client, but uses more memory and delivers older packets.",
    )
    queue_bytes: int = setting(
        8 * 1024 * 1024,
        group=PACKETS,
        commands=SERVE,
        at_least=65536,
        at_most=LARGEST,
        in_bytes=True,
        help="The size of a subscriber's queue in bytes, unless it asks for less.",
    )
    recorder_bytes: int = setting(
        1024 * 1024 * 1024,
        group=KEEPING,
        commands=SERVE,
        at_least=MIN_RECORDER_BYTES,
        at_most=MAX_COUNT,
        in_bytes=True,
        help="The memory that the recorders of all sessions may use together, in bytes.",
    )
    max_message: int = setting(
        256 * 1024,
        group=PACKETS,
        commands=SERVE,
        at_least=65535,
        at_most=LARGEST,
        in_bytes=True,
        help="The largest message that a client may send, in bytes.",
    )
    native: Native = setting(
        Native.AUTO,
        group=PACKETS,
        commands=COMMON,
        help="The C extension for packets: auto uses it if the installation has it, off does all "
        "of its work in Python.",
    )
    offload: Offload = setting(
        Offload.AUTO,
        group=PACKETS,
        commands=SERVE,
        help="Whether the host passes TCP and UDP data in pieces of up to 64 KiB, which a session "
        "splits into packets: auto does so where the C extension is in use. Bulk transfers become "
        "several times faster, and other packets a little slower. Linux only. A session can be "
        "started with another choice.",
    )
    socket_bytes: int = setting(
        0,
        group=PACKETS,
        commands=SERVE,
        at_least=0,
        at_most=LARGEST,
        in_bytes=True,
        help="The size of the kernel buffers of a connection in bytes. Larger ones survive longer "
        "pauses of the client, but deliver older packets; with 0 the system chooses the size.",
    )
    log_level: ServiceLogLevel = setting(
        ServiceLogLevel.INFO,
        group=LOGGING,
        commands=SERVICE,
        help="The lowest level of the lines that are logged.",
    )

    def __post_init__(self) -> None:
        if self.tls_key is not None and self.tls_certificate is None:
            raise InvalidSettings("tls_key needs tls_certificate.")

    @property
    def token_path(self) -> Path:
        """Return the path of the file with the admin token."""
        return self.token_file or self.data_dir / "token"

    @classmethod
    def declared(cls) -> Mapping[str, Declaration]:
        """Return what is to be known of each setting, by its name."""
        return declarations(cls)

    @classmethod
    def load(cls, config: Path | None = None, **flags: Any) -> Self:
        """Read the settings; a flag that is None counts as not given.

        Raises:
            InvalidSettings: A value is wrong, or `config` cannot be read. Each sentence names the
                flag, the variable or the key.
        """
        from wintun_api.configuration import read  # needs pydantic, which takes 0.3 s to import

        return read(cls, config, flags)
