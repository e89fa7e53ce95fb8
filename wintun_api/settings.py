"""Read one frozen `Settings` from flags, environment and a TOML file, in this order of precedence.

Every field is a flag of `wintun-api serve`, an environment variable (`WINTUN_API_` followed by the
field's name in capitals) and a key of the TOML file that `--config` names. A variable that holds
several names separates them by commas.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from wintun_api.errors import InvalidSettings
from wintun_api.paste import trimmed_values

ENV_PREFIX = "WINTUN_API_"

# A flag that is repeated for each value is in the singular.
FLAGS = {
    "allowed_hosts": "--allowed-host",
    "pools": "--pool",
    "trusted_proxies": "--trusted-proxy",
}

# Bounds for numbers that have no others: a larger number is a mistake, and the system's error for
# it would not name the setting.
LONGEST = 1_000_000.0  # seconds
LARGEST = 2**31 - 1

DriverName = Literal["wintun", "linux", "emulated"]
Generation = Literal["pool", "tunnel-type"]


def default_driver() -> DriverName:
    """Return the real driver of this platform, or the emulated one if there is none."""
    drivers: dict[str, DriverName] = {"win32": "wintun", "linux": "linux"}
    return drivers.get(sys.platform, "emulated")


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
        try:
            return Path(platformdirs.user_state_dir("wintun-api", appauthor=False))
        except RuntimeError:
            raise InvalidSettings(
                "This user has no home directory to keep the service's data in. "
                f"Set {ENV_PREFIX}DATA_DIR to a folder, or HOME."
            ) from None


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


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


def _absolute(path: Path) -> Path:
    # A relative path would be looked for in directories where any user may have put a DLL. A
    # Windows path is absolute here too, so that a settings file can be checked on another machine.
    if not (path.is_absolute() or PureWindowsPath(path).is_absolute()):
        raise ValueError("must be an absolute path")
    return path


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
Networks = Annotated[Names, AfterValidator(_networks)]
HostAddress = Annotated[str, AfterValidator(_host)]
HostNames = Annotated[Names, AfterValidator(_host_names)]
Native = Literal["auto", "off"] | AbsolutePath


class Settings(BaseSettings):
    """Hold what the service needs to know before it starts; constant while it runs."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,  # an empty variable is how many files unset one
        frozen=True,
        extra="forbid",
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, given: Any) -> Any:
        return trimmed_values(given)

    @field_validator("*")
    @classmethod
    def _check_path(cls, value: Any) -> Any:
        if isinstance(value, Path):
            try:
                os.fsencode(value)
            except UnicodeEncodeError:
                raise ValueError(
                    f"has letters that the locale's encoding, {sys.getfilesystemencoding()}, does "
                    "not have; use a UTF-8 locale, such as LC_ALL=C.UTF-8"
                ) from None
        return value

    # Where it listens
    host: HostAddress = Field("127.0.0.1", description="IP address to listen on.")
    port: int = Field(9886, ge=0, le=65535, description="TCP port; 0 chooses a free one.")
    allowed_hosts: HostNames = Field(
        (), description="Host names to accept in addition to the loopback names."
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate; turns TLS on."
    )
    tls_key: Path | None = Field(None, description="PEM file with the certificate's key.")
    allow_insecure_bind: bool = Field(
        False, description="Listen beyond loopback without TLS; tokens are then sent unencrypted."
    )

    trusted_proxies: Networks = Field(
        (),
        description="Addresses or networks of reverse proxies whose X-Forwarded headers are "
        "trusted.",
    )

    # Who may use it
    data_dir: Path = Field(
        default_factory=default_data_dir, description="Directory for tokens and known pools."
    )
    token_file: Path | None = Field(
        None, description="File with the admin token; created if missing. Default: in data_dir."
    )

    guesses_per_minute: int = Field(
        100,
        ge=1,
        le=LARGEST,
        description="Wrong tokens that one address may send in a minute. Further wrong ones get "
        "429; a valid token is always accepted.",
    )

    # What it drives
    driver: DriverName = Field(
        default_factory=default_driver, description="Driver to use: wintun, linux or emulated."
    )
    wintun_dll: AbsolutePath | None = Field(None, description="Absolute path of wintun.dll.")
    allow_unverified_dll: bool = Field(
        False, description="Load a wintun.dll of unknown origin, for example your own build."
    )
    generation: Generation = Field("pool", description="API generation of the emulated driver.")
    traffic: float = Field(
        0.0, ge=0, le=100_000, description="Packets per second that the emulated driver generates."
    )
    emulated_state: Path | None = Field(
        None, description="File that keeps the emulated driver's adapters across restarts."
    )
    pools: Names = Field(
        (), description="Pools to list in addition to those that the service has used."
    )

    # How long it waits
    management_timeout: float = Field(
        30.0,
        gt=0,
        le=LONGEST,
        description="Seconds that a request waits for a driver call to finish.",
    )
    request_timeout: float = Field(
        15.0,
        gt=0,
        le=LONGEST,
        description="Seconds that a client has to send a request or begin TLS; then it gets 408.",
    )
    idle_timeout: float = Field(
        30.0,
        gt=0,
        le=LONGEST,
        description="Seconds that an idle connection is kept open for another request.",
    )
    max_connections: int = Field(
        1024,
        ge=1,
        le=LARGEST,
        description="Connections at the same time, or fewer if the limit on open files is lower. "
        "Beyond that, a new one closes the oldest that has not sent a request.",
    )

    # The packet path
    burst_packets: int = Field(
        1024,
        ge=1,
        le=65535,
        description="Packets read at a time: larger is more efficient, smaller is fairer to "
        "other sessions.",
    )
    burst_bytes: int = Field(
        131072,
        ge=2048,
        le=LARGEST,
        description="Approximate number of bytes read at a time: more saves writes, until the "
        "processor's caches overflow.",
    )
    message_bytes: int = Field(
        131072,
        ge=2048,
        le=LARGEST,
        description="Bytes up to which queued bursts share one message: larger means fewer but "
        "later messages.",
    )
    queue_packets: int = Field(
        65536,
        ge=1,
        le=LARGEST,
        description="Packets in a subscriber's queue, unless it asks for fewer: larger survives "
        "longer pauses of the client, but uses more memory and delivers older packets.",
    )
    queue_bytes: int = Field(
        8 * 1024 * 1024,
        ge=65536,
        le=LARGEST,
        description="Bytes in a subscriber's queue, unless it asks for fewer; see queue_packets.",
    )
    max_message: int = Field(
        256 * 1024,
        ge=65535,
        le=LARGEST,
        description="Bytes of the largest message that a client may send.",
    )
    native: Native = Field(
        "auto",
        description="Native code for the Linux driver: auto uses the library that `wintun-api "
        "native` has built, if any; off disables it; or give the absolute path of a library.",
    )
    socket_bytes: int = Field(
        0,
        ge=0,
        le=LARGEST,
        description="Bytes of a connection's kernel buffers: larger survives longer pauses of the "
        "client but delivers older packets; 0 lets the system choose.",
    )
    event_history: int = Field(
        1000, ge=1, le=LARGEST, description="Events kept for clients that reconnect."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of log lines written to standard error."
    )

    @property
    def token_path(self) -> Path:
        """Return the path of the file with the admin token."""
        return self.token_file or self.data_dir / "token"

    @model_validator(mode="after")
    def _has_certificate(self) -> Settings:
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("tls_key needs tls_certificate")
        return self

    @classmethod
    def load(cls, config: Path | None = None, **flags: Any) -> Settings:
        """Read the settings; a flag that is None counts as not given.

        Raises:
            InvalidSettings: A value is wrong, or `config` cannot be read. Each sentence names the
                flag, the variable or the key.
        """
        if config is not None and not config.is_file():
            raise InvalidSettings(f"The configuration file {config} does not exist.")

        class WithFile(cls):  # type: ignore[valid-type, misc]
            model_config = SettingsConfigDict(toml_file=config)

        given = {key: value for key, value in flags.items() if value is not None}
        try:
            loaded = WithFile(**given)
        except ValidationError as error:
            rows = error.errors(include_url=False, include_context=False, include_input=False)
            raise InvalidSettings(*_explain(rows, given, config)) from None
        except tomllib.TOMLDecodeError as error:
            raise InvalidSettings(f"{config} is not a valid TOML file: {error}.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSettings(f"Cannot read {config}: {error}.") from None
        return cls.model_construct(**dict(loaded))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put flags before the environment and that before the file; use no other source."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def flag_of(field: str) -> str:
    """Return the flag of `wintun-api serve` for a field."""
    return FLAGS.get(field, "--" + field.replace("_", "-"))


def _explain(
    rows: Iterable[ErrorDetails], given: Mapping[str, Any], config: Path | None
) -> Iterable[str]:
    variables = {name.upper() for name, value in os.environ.items() if value}
    for row in rows:
        field = str(row["loc"][0]) if row["loc"] else ""
        message = row["msg"].removeprefix("Value error, ")
        if row["type"] == "extra_forbidden":
            place = "flag" if field in given else f"key of {config}"
            yield f"There is no setting {field} ({place})."
        elif not field:
            yield f"{message}."
        elif field in given:
            yield f"{flag_of(field)}: {message}."
        elif ENV_PREFIX + field.upper() in variables:
            yield f"{ENV_PREFIX}{field.upper()}: {message}."
        else:
            yield f"{field} in {config}: {message}."
