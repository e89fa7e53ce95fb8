"""`wintun-api doctor`: find out what keeps the service from running here."""

from __future__ import annotations

from dataclasses import asdict

import typer

from wintun_api.cli import options
from wintun_api.cli.output import show_json
from wintun_api.cli.table import show_table


def doctor(
    *,
    config: options.Config = None,
    driver: options.Driver = None,
    host: options.Host = None,
    port: options.Port = None,
    token_file: options.AdminTokenFile = None,
    data_dir: options.DataDir = None,
    wintun_dll: options.WintunDll = None,
    allow_unverified_dll: options.AllowUnverifiedDll = None,
    as_json: options.Json = False,
) -> None:
    """Check everything that the service needs, and say how to get what is missing.

    Doctor changes nothing and does not load wintun.dll. It exits with 0 if the service
    can run with these settings or already runs, and with 1 if not.
    """
    from wintun_api.cli.checks import examine
    from wintun_api.cli.outcome import Outcome

    settings = options.read_settings(
        config,
        driver=driver,
        host=host,
        port=port,
        token_file=token_file,
        data_dir=data_dir,
        wintun_dll=wintun_dll,
        allow_unverified_dll=allow_unverified_dll,
    )
    checks = list(examine(settings))
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
