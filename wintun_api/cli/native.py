"""`wintun-api native`: the optional native part of the Linux driver."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from wintun_api.cli.options import Json
from wintun_api.cli.output import fail, show_json

ON_LINUX: bool = sys.platform == "linux"

app = typer.Typer(
    help="Build the Linux driver's native part, which carries more packets per second.",
    no_args_is_help=True,
)


@app.command()
def build(
    *,
    compiler: Annotated[
        str | None,
        typer.Option(metavar="CC", help="The C compiler; default: $CC, cc, gcc or clang."),
    ] = None,
) -> None:
    """Compile the native part into this installation.

    Takes a second and a C compiler, no header of Python. A running service has it
    after its next start. serve --native off does without it.
    """
    from wintun_api.drivers.linux import native

    if not ON_LINUX:
        fail("The native part is for Linux: wintun.dll is native already.")
    try:
        library = native.build(native.LIBRARY, compiler)
    except FileNotFoundError as error:
        fail(
            f"{error.strerror}: {error.filename}.",
            "Install gcc or clang, or name yours in CC.",
        )
    except PermissionError as error:
        fail(f"{error.filename} may not be written.", "Run it as the owner of this installation.")
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"The native part was not built: {error}", "What the compiler says is above.")
    typer.echo(f"Built {library}.")


@app.command()
def status(as_json: Json = False) -> None:
    """Say whether the native part is there and can be used."""
    from wintun_api.drivers.linux import native

    there, usable = native.LIBRARY.exists(), native.load() is not None
    if as_json:
        show_json({"library": str(native.LIBRARY), "there": there, "usable": usable})
    elif usable:
        typer.echo(f"{native.LIBRARY} is there and is used.")
    elif there:
        typer.echo("It was built from another version: run wintun-api native build again.")
    else:
        typer.echo("It is not built; everything works without it. See wintun-api native build.")
