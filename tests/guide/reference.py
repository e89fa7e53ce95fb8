"""Write the guide's page of settings from the settings: `python -m tests.guide.reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wintun_api import guide
from wintun_api.declaration import Declaration, declarations
from wintun_api.settings import Settings

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
# Where the guide has more to say of a default than the command line.
DEFAULTS = {
    "data_dir": "see [where files are](install.md#where-files-are)",
    "wintun_dll": "looked for, see [Windows](windows.md#get-the-dll)",
}


def groups(settings: Any) -> dict[str, list[Declaration]]:
    """Return the settings below their headings, in the order of the declarations."""
    found: dict[str, list[Declaration]] = {}
    for one in declarations(settings).values():
        found.setdefault(one.group, []).append(one)
    return found


def default(one: Declaration) -> str:
    """Return the default of a setting as people read it."""
    if one.name in DEFAULTS:
        return DEFAULTS[one.name]
    if isinstance(one.default, str) and not one.words:
        return f"`{one.default_text}`"
    return one.default_text or ("off" if one.default is False else "none")


def choices(one: Declaration) -> str:
    """Return the values of a closed list as a sentence; empty for all other settings."""
    return f" Values: {', '.join(f'`{value}`' for value in one.values)}." if one.values else ""


def page(settings: Any = Settings) -> str:
    """Return the page for a class of settings."""
    parts = [HEAD]
    for heading, declared in groups(settings).items():
        parts.append(f"\n## {heading}\n\n")
        parts += [
            f"* `{one.flag}`, `{one.variable}`, `{one.name}`:\n"
            f"  {one.help} Default: {default(one)}.{choices(one)}\n"
            for one in declared
        ]
    return "".join(parts)


def main() -> None:
    """Write the page."""
    Path(PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
