"""The exceptions of `fleet` as the last words of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.hints import hint_for
from wintun_api.cli.output import fail
from wintun_api.errors import InvalidArgument, InvalidSettings, WintunApiError
from wintun_api.files import UntrustedFile
from wintun_api.fleet import problems

# Not AdapterInUse: where the other agent was killed, a service manager has to try again.
_CODES: Final[dict[type[problems.FleetError], ExitCode]] = {
    problems.BusUnavailable: ExitCode.NOT_REACHABLE,
    problems.NobodyAnswers: ExitCode.NOT_REACHABLE,
    problems.BusDenied: ExitCode.REFUSED,
    problems.KeyRefused: ExitCode.REFUSED,
    problems.LaboratoryMissing: ExitCode.NOT_FOUND,
    problems.LaboratoryInUse: ExitCode.CONFLICT,
    problems.LedgerInUse: ExitCode.CONFLICT,
    problems.KeyInUse: ExitCode.CONFLICT,
    problems.HostMissing: ExitCode.NOT_FOUND,
    problems.TokenTooNarrow: ExitCode.REFUSED,
    problems.KeyTaken: ExitCode.CONFLICT,
}


@contextmanager
def fleet_failures(extra: str) -> Iterator[None]:
    """End the command with a sentence for what `fleet` raises.

    Args:
        extra: The optional dependencies that the command needs, as pyproject.toml names them.
    """
    try:
        yield
    except problems.FleetError as error:
        fail(error.detail, *_hints(error.hint), code=code_of(error))
    except (InvalidArgument, InvalidSettings) as error:
        fail(_plain(error), *_hints(error.hint), code=ExitCode.USAGE)
    except UntrustedFile as error:
        fail(str(error), *_hints(error.hint))
    except WintunApiError as error:
        fail(str(error), hint_for(error))
    except ImportError as error:
        if (error.name or "").startswith("wintun_api"):
            raise
        fail(
            f"The package {error.name} is missing, which this command needs.",
            problems.how_to_install(extra),
        )
    except BrokenPipeError:  # the program that reads the output has enough
        raise
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        fail(
            f"Cannot read or write{where}: {error.strerror or error}.",
            "Let this user read and write it, or choose another path.",
        )


def code_of(error: problems.FleetError) -> ExitCode:
    """Return the exit code for an error."""
    return _CODES.get(type(error), ExitCode.FAILED)


def _hints(hint: str | None) -> tuple[str, ...]:
    return (hint,) if hint else ()


def _plain(error: InvalidArgument | InvalidSettings) -> str:
    said = str(error)
    return said.removeprefix(f"{error.field}: ") if isinstance(error, InvalidArgument) else said
