"""Compile wintun_api/speedups.c while a wheel is built; pyproject.toml names this to hatchling.

The extension is optional: where it cannot be compiled, one line says why, and the wheel is the one
for every system. setuptools knows the compilers of each system, and does nothing else here.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "WINTUN_API_BUILD_NATIVE"
SOURCE = "wintun_api/speedups.c"


class ExtensionHook(BuildHookInterface):  # type: ignore[type-arg]
    """Add the extension to a wheel; put it beside its source for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile it, unless the variable says off; where it says on, a failure ends the build."""
        self._folder = Path(tempfile.mkdtemp(prefix="wintun-api-"))
        wanted = os.environ.get(VARIABLE) or "auto"
        if wanted not in {"auto", "off", "on"}:
            self.app.abort(f"{VARIABLE} must be auto, off or on, not {wanted!r}.")
        editable = version == "editable"
        source = Path(self.root) / SOURCE
        try:
            if wanted == "off":
                if editable:
                    remove_earlier(source)
                return
            made = compiled(source, self._folder)
            if editable:
                install(made, source.with_name(made.name))
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, the package works without it
            reason = " ".join(str(error).split())
            if wanted == "on":
                self.app.abort(f"The C extension of wintun-api could not be built: {reason}")
            self.app.display_warning(
                f"wintun-api is built without its C extension and works in Python alone: {reason}"
            )
            return
        build_data["force_include"][str(made)] = f"wintun_api/{made.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform_tag()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the compiler wrote."""
        del version, build_data, artifact_path
        shutil.rmtree(self._folder, ignore_errors=True)


def compiled(source: Path, folder: Path) -> Path:
    """Compile the source into a folder; return the library, or raise an error in one line."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    # native.py compares it with the source that it finds. A name, for quotes differ by compiler.
    digest = "x" + hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    extension = Extension(
        "wintun_api.speedups",
        [source.name],
        define_macros=[("SOURCE", digest)],
        extra_compile_args=["/O2"] if sys.platform == "win32" else ["-O3", "-g0"],
        py_limited_api=True,
    )
    command = build_ext(Distribution({"name": "wintun-api", "ext_modules": [extension]}))
    command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "objects")
    # A relative name keeps odd paths out of the command line and out of the library.
    here = Path.cwd()
    os.chdir(source.parent)
    try:
        with said_to(folder / "said"):
            command.ensure_finalized()
            command.run()
    except Exception as error:
        said = (folder / "said").read_text("utf-8", "replace")
        lines = [line for line in said.splitlines() if re.search(r"\berror\b", line)]
        # Of a command, its program is enough.
        reason = lines[0] if lines else re.sub(r"Command '\['(.*?)'.*\]'", r"\1", str(error))
        raise RuntimeError(reason) from error
    finally:
        os.chdir(here)
    return Path(command.get_outputs()[0])


@contextmanager
def said_to(path: Path) -> Iterator[None]:
    """Send what this process and its compilers write into a file meanwhile."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with path.open("wb") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, one in enumerate(kept, start=1):
            os.dup2(one, number)
            os.close(one)


def remove_earlier(source: Path) -> None:
    """Remove the extension of an earlier build. Where a build fails it stays: native.py looks."""
    earlier = source.with_suffix(".pyd" if sys.platform == "win32" else ".abi3.so")
    if earlier.exists():
        earlier.unlink()


def install(made: Path, place: Path) -> None:
    """Put the library into its place at once: a program may be using the old one."""
    beside = place.with_name(f"{place.name}.new")
    try:
        shutil.copyfile(made, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def platform_tag() -> str:
    """Return the system as a wheel's name has it, with what macOS and 32-bit systems need."""
    from setuptools.command.bdist_wheel import get_platform

    return get_platform(None).replace("-", "_").replace(".", "_")
