"""The stand-in library: where it is, how it is built, what it can be told."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.windows.rig import HERE, compile_c, default_directory
from wintun_api.drivers.wintun.abi import Generation

VERSIONS = {Generation.POOL: 13, Generation.TUNNEL_TYPE: 14}


def standin_path(generation: Generation) -> Path:
    """The file of a generation; not named wintun.dll, for that name is another's."""
    if sys.platform == "win32":
        rig = Path(sys.executable).parent.parent
    else:
        rig = default_directory()
    return rig / "standin" / f"standin-{VERSIONS[generation]}.dll"


def build_standins() -> None:
    """Build both generations from their one source."""
    for generation, version in VERSIONS.items():
        path = standin_path(generation)
        source = HERE / "standin.c"
        if path.is_file() and path.stat().st_mtime > source.stat().st_mtime:
            continue
        path.parent.mkdir(exist_ok=True)
        compile_c(source, path, "-shared", f"-DGENERATION={version}")


class Control:
    """The file of commands that a loaded stand-in follows; standin.c lists them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def __call__(self, *commands: str) -> None:
        """Append commands; the library sees them within some hundredths of a second."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{command}\n" for command in commands)
