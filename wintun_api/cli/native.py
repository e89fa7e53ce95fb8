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
    help="Build the native part of the Linux driver, which carries more packets per second.",
    no_args_is_help=True,
)


@app.command()
def build(
    *,
    as_json: Json = False,
    compiler: Annotated[
        str | None,
        typer.Option(
            metavar="CC",
            help="The C compiler. The default is the first of $CC, cc, gcc and clang that exists.",
        ),
    ] = None,
) -> None:
    """Compile the native part into this installation.

    This needs a C compiler, but not the headers of Python, and takes about a second. A
    running service uses it after a restart; serve --native off disables it.
    """
    from wintun_api.drivers.linux import native

    if not ON_LINUX:
        fail(
            "The native part is for Linux only.",
            "Nothing is missing here: wintun.dll is native code already.",
        )
    try:
        library = native.build(native.LIBRARY, compiler)
    except FileNotFoundError as error:
        fail(
            f"{error.strerror}: {error.filename}.",
            "Install gcc or clang, or name your compiler in the variable CC.",
        )
    except PermissionError as error:
        fail(
            f"{error.filename} cannot be written by this user.",
            "Run the command as the owner of this installation.",
        )
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"The native part was not built: {error}", "The messages of the compiler are above.")
    if as_json:
        show_json({"library": str(library)})
    else:
        typer.echo(f"Built {library}.")


@app.command()
def status(as_json: Json = False) -> None:
    """Show whether the native part is built and can be used."""
    from wintun_api.drivers.linux import native

    there, usable = native.LIBRARY.exists(), native.load() is not None
    if as_json:
        show_json({"library": str(native.LIBRARY), "there": there, "usable": usable})
    elif usable:
        typer.echo(f"{native.LIBRARY} is built and used.")
    elif there:
        typer.echo(
            "The native part was built from another version. Build it again with: wintun-api "
            "native build"
        )
    else:
        typer.echo(
            "The native part is not built, and everything works without it. Build it with: "
            "wintun-api native build"
        )
