"""Write the guide's page of settings from the settings: `python -m tests.guide.reference`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from wintun_api import guide
from wintun_api.settings import ENV_PREFIX, Settings, flag_of

PAGE = guide.FOLDER / "settings.md"
HEAD = """# Settings

Every setting is a flag of `wintun-api serve`, an environment variable, and a key of a TOML file
that `--config` or `WINTUN_API_CONFIG` names. A flag wins over a variable, a variable over the file.

Setting a port in each of the three ways:

<!-- form: serve runs until it is stopped; tests/test_settings.py reads all three -->
```sh
wintun-api serve --driver emulated --port 9900
WINTUN_API_PORT=9900 wintun-api serve --driver emulated
printf 'port = 9900\\n' > wintun-api.toml
wintun-api serve --driver emulated --config wintun-api.toml
```

A setting that can have several values is a flag given several times, a variable with commas, or a
list in TOML. A wrong value, and a key that does not exist, end the start with a sentence.

The command line as a client reads two more variables: `WINTUN_API_URL`, the address of the service,
and `WINTUN_API_TOKEN`, the [token](security.md#tokens-and-scopes).
"""
DEFAULTS = {
    "data_dir": "see [where files are](install.md#where-files-are)",
    "driver": "the real driver of the platform, `emulated` where there is none",
    "wintun_dll": "looked for, see [Windows](windows.md#get-the-dll)",
    "token_file": "`token` in the data directory",
    "socket_bytes": "0",
}


def groups() -> list[tuple[str, list[str]]]:
    """Return the fields of the settings below the headings that the class has as comments."""
    found: list[tuple[str, list[str]]] = []
    for line in inspect.getsource(Settings).splitlines():
        if heading := re.fullmatch(r"    # ([A-Z][^.]+)", line):
            found.append((heading[1], []))
        elif (field := re.match(r"    (\w+): .*Field\(|    (\w+): .*= Field\(", line)) and found:
            found[-1][1].append(field[1] or field[2])
    return found


def default(name: str, field: FieldInfo) -> str:
    """Return the default of a setting as people read it."""
    if name in DEFAULTS:
        return DEFAULTS[name]
    value: Any = field.default
    match value:
        case None | () | False:
            return {None: "none", (): "none", False: "off"}[value]
        case int() if value >= 65536 and value % 1024 == 0:
            size = f"{value >> 20} MiB" if value % (1 << 20) == 0 else f"{value >> 10} KiB"
            return f"{value} ({size})" if name.endswith(("bytes", "message")) else f"{value}"
        case float():
            return f"{value:g}"
        case _:
            return f"`{value}`" if isinstance(value, str) else str(value)


def choices(field: FieldInfo) -> str:
    """Return the values of a closed list as a sentence; empty for all other settings."""
    if get_origin(field.annotation) is not Literal:
        return ""
    return f" Values: {', '.join(f'`{value}`' for value in get_args(field.annotation))}."


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for heading, names in groups():
        parts.append(f"\n## {heading}\n\n")
        for name in names:
            field = Settings.model_fields[name]
            meaning = (field.description or "").partition(" Default: ")[0].rstrip(".")
            parts.append(
                f"* `{flag_of(name)}`, `{ENV_PREFIX}{name.upper()}`, `{name}`:\n"
                f"  {meaning}. Default: {default(name, field)}.{choices(field)}\n"
            )
    return "".join(parts)


def main() -> None:
    """Write the page."""
    Path(PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
