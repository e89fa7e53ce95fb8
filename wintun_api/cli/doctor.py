"""`wintun-api doctor`: find out what keeps the service from running here."""

from __future__ import annotations

from dataclasses import asdict

import typer

from wintun_api.cli.options import Json
from wintun_api.cli.output import show_json
from wintun_api.cli.setting_options import Flags, takes_settings
from wintun_api.cli.table import show_table


@takes_settings("doctor")
def doctor(*, flags: Flags, as_json: Json = False) -> None:
    """Check everything that the service needs, and say how to get what is missing.

    Doctor changes nothing and does not load wintun.dll. It exits with 0 if the service
    can run with these settings or already runs, and with 1 if not.
    """
    from wintun_api.cli.checks import examine
    from wintun_api.cli.outcome import Outcome

    checks = list(examine(flags.settings()))
    works = all(check.outcome is not Outcome.FAIL for check in checks)
    if as_json:
        show_json({"ok": works, "checks": [asdict(check) for check in checks]})
    else:
        rows = [(check.name, check.outcome, check.detail) for check in checks]
        show_table(("Check", "", "Found"), rows)
        for check in checks:
            if check.hint:
                typer.echo(f"{check.name}: {check.hint}")
    if not works:
        raise typer.Exit(1)
