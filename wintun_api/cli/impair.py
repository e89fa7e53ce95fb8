"""`wintun-api impair`: a bad network for the session of an adapter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wintun_api.choices import CaptureDirection, OnChange
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import preset_names, session_words
from wintun_api.cli.impairment_options import (
    PACKETS,
    in_options,
    option_of,
    refuse,
    takes_match,
    takes_network,
)
from wintun_api.cli.options import as_path, flag_of
from wintun_api.cli.output import printable, show_json
from wintun_api.cli.packet_options import direction_option

if TYPE_CHECKING:
    from wintun_api.cli.client import Client
    from wintun_api.cli.impairment_file import ImpairmentFile

SOURCE = "Where it comes from"
EPILOG = (
    "Example: wintun-api impair OfficeNet --delay 100ms --jitter 10ms --loss 2% --seed 7\n\n"
    "A network with a name: wintun-api impair OfficeNet --preset 3g\n\n"
    "End it: wintun-api impair OfficeNet --off"
)
NOT_IMPAIRED = "impairment-not-found"


@takes_client_options(far=True)
@takes_network()
@takes_match()
def impair(
    adapter: Annotated[
        str | None,
        typer.Argument(
            metavar="ADAPTER",
            help="The name or GUID of the adapter, or the id of its session.",
            show_default=False,
            autocompletion=session_words,
        ),
    ] = None,
    *,
    network: dict[str, Any],
    direction: Annotated[CaptureDirection | None, direction_option(PACKETS)] = None,
    match: dict[str, Any],
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Use a network that has a name, such as 3g; --presets lists them.",
            rich_help_panel=SOURCE,
            autocompletion=preset_names,
        ),
    ] = None,
    presets: Annotated[
        bool,
        typer.Option(
            "--presets", help="List the networks that have a name.", rich_help_panel=SOURCE
        ),
    ] = False,
    scenario: Annotated[
        Path | None,
        typer.Option(
            parser=as_path,
            metavar="<path>",
            help="Play the steps in this file, in YAML or JSON; - is standard input.",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            parser=as_path,
            metavar="<path>",
            help="Use what is in this file, in YAML or JSON: everything that the API takes, such "
            "as several rules; - is standard input.",
            rich_help_panel=SOURCE,
        ),
    ] = None,
    off: Annotated[
        bool, typer.Option("--off", help="Remove the impairment and show what it did.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="The number from which all chance follows; the same one repeats it."
        ),
    ] = None,
    on_change: Annotated[
        OnChange | None,
        typer.Option(
            help="What happens to delayed packets when this is changed or removed: deliver them at "
            "once, which is the default, or drop them.",
            show_default=False,
        ),
    ] = None,
    options: ClientOptions,
) -> None:
    """Make the network of a session bad: delay, lose, change, reorder or limit its packets.

    It replaces what was set before, and ends with --off or with the session.
    Without options the command shows what holds now, and what has happened.
    """
    more: dict[str, Any] = {"seed": seed, "on_change": on_change and on_change.value}
    more = {name: value for name, value in more.items() if value is not None}
    choices = {
        "--off": off,
        "--presets": presets,
        "--preset": preset is not None,
        "--scenario": scenario is not None,
        "--file": file is not None,
    }
    chosen = [name for name, given in choices.items() if given]
    _check(
        [*chosen, *map(option_of, list(network)[:1])],
        {
            **({"--direction": False} if direction is not None else {}),
            **{flag_of(name): "--file" not in chosen for name in match},
            **{flag_of(name): True for name in more},
        },
        of_network=bool(network),
    )
    if adapter is None and not presets:
        raise typer.BadParameter("Give the name of an adapter, or --presets.")
    body: dict[str, Any] | None = None
    source: ImpairmentFile | None = None
    if network:
        wanted = CaptureDirection.BOTH if direction is None else direction
        sides = ("received", "injected") if wanted is CaptureDirection.BOTH else (wanted.value,)
        body = dict.fromkeys(sides, network)
    elif preset is not None:
        body = {"preset": preset}
    elif scenario is not None or file is not None:
        from wintun_api.cli.impairment_file import read_file

        option, path = ("--scenario", scenario) if scenario is not None else ("--file", file)
        source = read_file(path or Path(), option)
    more = {**({"match": match} if match else {}), **more}
    if source is not None:
        body = source.body_with(more)
    elif body is not None:
        body = {**body, **more}
    with options.connect() as client:
        if presets:
            _list_presets(client, options.as_json)
        elif off:
            _remove(client, adapter or "", options.as_json)
        elif body is None:
            _show(client, adapter or "", options.as_json)
        else:
            _set(client, adapter or "", body, options.as_json, source)


def _check(chosen: list[str], further: dict[str, bool], *, of_network: bool) -> None:
    """Refuse options that exclude each other, and those that need another one.

    Args:
        chosen: The options that say what is to happen. Only one kind can.
        further: The options that need one of these, and whether any of them will do.
        of_network: Whether the chosen one describes a network.
    """
    if len(chosen) > 1:
        raise typer.BadParameter(f"{chosen[0]} cannot be used together with {chosen[1]}.")
    (choice,) = chosen or [""]
    for name, with_any in further.items():
        if choice in ("--off", "--presets") or (choice and not with_any and not of_network):
            raise typer.BadParameter(f"{name} cannot be used together with {choice}.")
        if not choice:
            raise typer.BadParameter(
                f"{name} has no effect alone: say what is to happen, such as --delay 100ms or "
                "--preset 3g."
            )


def _set(
    client: Client,
    adapter: str,
    body: dict[str, Any],
    as_json: bool,
    source: ImpairmentFile | None,
) -> None:
    from wintun_api.cli.impairment_tables import show_impairment
    from wintun_api.client import operations

    session = client.session_id(adapter)
    # As it is, so that the service says which name it does not know.
    call = replace(operations.set_impairment(session), body=body)
    found = client.ask(call, words=in_options, invalid=refuse if source is None else source.refuse)
    if as_json:
        show_json(found)
    else:
        show_impairment(found, _name(client, found), counters=False)


def _show(client: Client, adapter: str, as_json: bool) -> None:
    from wintun_api.cli.impairment_tables import show_impairment
    from wintun_api.client import operations

    session = client.session_id(adapter)
    found = client.ask(operations.get_impairment(session), missing=NOT_IMPAIRED)
    if as_json:
        show_json(found)
    elif found is None:
        typer.echo(printable(f"{adapter} is not impaired."), err=True)
    else:
        show_impairment(found, _name(client, found))


def _remove(client: Client, adapter: str, as_json: bool) -> None:
    from wintun_api.cli.impairment_tables import show_counters
    from wintun_api.client import operations

    session = client.session_id(adapter)
    found = client.ask(operations.remove_impairment(session), missing=NOT_IMPAIRED)
    if as_json:
        show_json(found)
    elif found is None:
        typer.echo(printable(f"{adapter} was not impaired."), err=True)
    else:
        typer.echo(printable(f"{_name(client, found)} is no longer impaired. What happened:"))
        typer.echo()
        show_counters(found)


def _list_presets(client: Client, as_json: bool) -> None:
    from wintun_api.cli.impairment_tables import show_presets
    from wintun_api.client import operations

    presets = client.ask(operations.list_impairment_presets())
    if as_json:
        show_json(presets)
    else:
        show_presets(presets)


def _name(client: Client, impairment: dict[str, Any]) -> str:
    names = {one["guid"]: one["name"] for one in client.adapters()}
    return str(names.get(impairment["adapter"], impairment["adapter"]))
