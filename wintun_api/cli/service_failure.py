"""The exceptions of the client as the last words of a command that uses it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wintun_api.cli.exit_codes import code_of
from wintun_api.cli.hints import detail_of, hint_of, slug_of
from wintun_api.cli.output import fail
from wintun_api.cli.words import refuse_address, refuse_credential, unreachable
from wintun_api.client.problems import (
    ClientError,
    CredentialError,
    ProblemError,
    ServiceUnreachable,
)


@contextmanager
def service_failures(url: str) -> Iterator[None]:
    """End the command with a sentence for what the client raises.

    Args:
        url: The address of the service, as it was given.
    """
    try:
        yield
    except ServiceUnreachable as error:
        if error.kind == "address":
            refuse_address(error, url)
        unreachable(error)
    except CredentialError as error:
        refuse_credential(error)
    except ProblemError as error:
        problem = error.problem
        hint = hint_of(problem)
        fail(
            detail_of(problem) or error.detail,
            *([hint] if hint else []),
            code=code_of(slug_of(problem), error.status),
            problem=problem,
        )
    except ClientError as error:
        fail(error.detail, *([error.hint] if error.hint else []))
