"""`wintun-api events`: what happens in a running service."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wintun_api.choices import EventType, LogLevel
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import counted, printable
from wintun_api.quantities import size_text

if TYPE_CHECKING:
    from wintun_api.cli.event_stream import Message

LEVELS = tuple(LogLevel)
LOST = ("lost", "limit", "blackout", "too_large", "dropped")


def _kinds(incomplete: str) -> list[str]:
    return [kind.value for kind in EventType if kind.startswith(incomplete)]


@takes_client_options("Write one JSON object per line; errors too.")
def events(
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then show what happens, until Ctrl-C.")
    ] = False,
    since: Annotated[
        int | None, typer.Option(metavar="ID", help="Begin after the event with this id.")
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="KIND",
            help="Show only events of this kind, such as adapter.created, or of a whole group, "
            "such as adapter. Can be repeated.",
            autocompletion=_kinds,
        ),
    ] = None,
    level: Annotated[
        LogLevel, typer.Option(help="Show lines of the driver's log from this level on.")
    ] = LogLevel.INFO,
    options: ClientOptions,
) -> None:
    """Show what has happened: to adapters, to sessions, lost packets, the driver's log.

    The list begins with the oldest event that the service still has. Where events are
    missing, a snapshot shows what exists now.
    """
    from wintun_api.cli.event_stream import EventStream

    wanted = _wanted(types)
    try:
        with options.connect() as client:
            stream = EventStream(client, since, _tell)
            names = Names(stream.first)
            for message in stream.follow() if follow else stream.past():
                names.learn(message)
                if message["type"] == "snapshot":
                    _tell("Earlier events are not kept. This is what exists now:")
                elif message["type"] != "missed" and not _passes(message, wanted, level):
                    continue
                typer.echo(json.dumps(message) if options.as_json else names.line(message))
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _wanted(types: list[str] | None) -> frozenset[str] | None:
    known = _kinds("")
    wanted: set[str] = set()
    for word in types or ():
        found = {kind for kind in known if word in (kind, kind.partition(".")[0])}
        if not found:
            raise typer.BadParameter(
                f"The kind {word!r} does not exist. The kinds are {', '.join(known)}.",
                param_hint="--type",
            )
        wanted |= found
    return frozenset(wanted) or None


def _passes(message: Message, wanted: Collection[str] | None, level: LogLevel) -> bool:
    if wanted is not None and message["type"] not in wanted:
        return False
    if message["type"] != "driver.log":
        return True
    return LEVELS.index(message["data"]["level"]) >= LEVELS.index(level)


def _tell(sentence: str) -> None:
    typer.echo(printable(sentence), err=True)


class Names:
    """Writes messages as lines; knows the adapters, for events of sessions have GUIDs only."""

    def __init__(self, first: Message) -> None:
        """Begin with a snapshot, which may be newer than the messages that come first."""
        self._first = first
        self._names: dict[str, str] = {one["guid"]: one["name"] for one in first["adapters"]}
        # As the messages told of them.
        self._adapters: dict[str, dict[str, Any]] = {}
        self._before: dict[str, Any] | None = None

    def learn(self, message: Message) -> None:
        """Remember what a message says about adapters."""
        if message["type"] == "snapshot":
            for one in message["adapters"]:
                self._put(one)
        elif message["type"].startswith("adapter.") and "guid" in message["data"]:
            guid = message["data"]["guid"]
            self._before = self._adapters.get(guid)
            if self._before is None and message["id"] > self._first["id"]:
                found = (one for one in self._first["adapters"] if one["guid"] == guid)
                self._before = next(found, None)
            self._put(message["data"])
            if message["type"] == "adapter.deleted":
                del self._adapters[guid]

    def _put(self, adapter: dict[str, Any]) -> None:
        self._names[adapter["guid"]] = adapter["name"]
        self._adapters[adapter["guid"]] = adapter

    def line(self, message: Message) -> str:
        """Return time, id, kind and text."""
        kind = message["type"]
        if kind == "missed":
            return f"{message['count']} events were lost: this program read too slowly."
        time = datetime.fromisoformat(message["time"]).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        return printable(f"{time}Z {message['id']:>5}  {kind:<18} {self._text(kind, message)}")

    def _text(self, kind: str, message: Message) -> str:
        if kind == "snapshot":
            adapters = ", ".join(one["name"] for one in message["adapters"]) or "none"
            sessions = ", ".join(self._session(one) for one in message["sessions"]) or "none"
            return f"adapters: {adapters}; sessions: {sessions}"
        data = message["data"]
        topic = kind.partition(".")[0]
        if "problem" in data:
            return self._failure(data)
        if kind == "operation.done":
            subject = data["adapter"] or data["pool"]
            of = f" of {self._names.get(subject, subject)}" if subject else ""
            reboot = "; the system wants a reboot" if data["reboot_required"] else ""
            return f"{data['operation']}{of} was done after all{reboot}"
        if kind == "driver.log":
            return f"{data['level']}: {data['message']}"
        if kind == "driver.slow":
            return f"{data['call']} has taken {data['seconds']:.0f} seconds so far"
        if kind == "session.loss":
            name = self._names.get(data["adapter"], data["adapter"])
            return (
                f"{data['session']} of {name}: {counted(data['count'], 'packet')}, {data['cause']}"
            )
        if kind in ("session.abandoned", "session.rejoined"):
            return self._hold(data)
        if topic == "impairment":
            return self._impairment(kind, data)
        if kind == "audit.change":
            return _audit(data)
        if topic == "capture":
            return self._capture(data)
        if topic == "recorder":
            return self._recorder(data)
        if topic == "session":
            reason = f": {data['reason']}" if data["reason"] else ""
            return f"{self._session(data)}{reason}"
        if kind == "adapter.changed":
            from wintun_api.cli.adapter_changes import change_text

            return f"{data['name']} {data['guid']}: {change_text(self._before, data)}"
        if topic == "adapter" and "guid" in data:
            addresses = ", ".join(data["addresses"]) or "no addresses"
            return f"{data['name']} {data['guid']} {data['state']}, {addresses}"
        return json.dumps(data)  # a kind that a later service may have

    def _failure(self, data: dict[str, Any]) -> str:
        subject = data["name"] or self._names.get(data["adapter"], data["adapter"]) or data["pool"]
        of = f" of {subject}" if subject else ""
        return f"{data['operation']}{of} failed: {data['problem']['detail']}"

    def _hold(self, data: dict[str, Any]) -> str:
        name = self._names.get(data["adapter"], data["adapter"])
        if data["ends_at"] is None:
            return f"{name}: a client came back, so the {data['ends']} stays"
        return f"{name}: the last client has gone; the {data['ends']} ends at {data['ends_at']}"

    def _impairment(self, kind: str, data: dict[str, Any]) -> str:
        name = self._names.get(data["adapter"], data["adapter"])
        which = f"{data['session']} of {name}"
        match kind:
            case "impairment.set":
                return f"{which}: {data['summary']}, seed {data['seed']}"
            case "impairment.removed":
                return f"{which} is no longer impaired; {_lost(data)}"
            case "impairment.step":
                return f"{which}: {data['summary']}"
            case "impairment.loss":
                lost = counted(data["count"], f"{data['direction']} packet")
                return f"{which}: {lost}, {data['cause']}"
            case "impairment.nearly_full":
                return (
                    f"{which}: {data['packets']} of {data['limit_packets']} packets and "
                    f"{data['bytes']} of {data['limit_bytes']} bytes are delayed, "
                    f"{data['direction']}, rule {data['rule'] + 1}"
                )
        return json.dumps(data)

    def _capture(self, data: dict[str, Any]) -> str:
        what = f"{data['id']} {data['name']} {data['state']}"
        if data["ended_at"] is not None:
            detail = f": {data['detail']}" if data["detail"] else ""
            return f"{what}, {counted(data['packets'], 'packet')}, {data['lost']} lost{detail}"
        if data["adapters"] is not None:
            of = ", ".join(self._names.get(one, one) for one in data["adapters"])
        else:
            of = "all adapters" if data["pool"] is None else f"pool {data['pool']}"
        return f"{what}, {of}" + (f", filter {data['filter']}" if data["filter"] else "")

    def _recorder(self, data: dict[str, Any]) -> str:
        name = self._names.get(data["adapter"], data["adapter"])
        which = f"{data['session']} of {name}"
        if "reason" in data:
            return f"{which}: {data['reason']}, {counted(data['packets'], 'packet')}"
        return f"{which}: the last {data['seconds']:g} s in {size_text(data['bytes'])}"

    def _session(self, session: dict[str, Any]) -> str:
        name = self._names.get(session["adapter"], session["adapter"])
        return f"{session['id']} of {name} {session['state']}"


def _lost(impairment: dict[str, Any]) -> str:
    """Return how much an impairment has lost of what it was given."""
    parts = []
    for direction in ("received", "injected"):
        counts = {
            name: one["packets"] for name, one in impairment[direction].items() if name in LOST
        }
        parts.append(
            f"{sum(counts.values())} of {impairment[direction]['offered']['packets']} {direction}"
        )
    return f"lost {' and '.join(parts)} packets"


def _audit(data: dict[str, Any]) -> str:
    label = f" ({data['label']})" if data["label"] else ""
    way = " in a browser" if data["browser"] else ""
    result = "no answer" if data["status"] is None else data["status"]
    times = f", {data['count']} times" if data["count"] > 1 else ""
    return (
        f"{data['method']} {data['path']}: {result}{times}, "
        f"token {data['who']}{label}{way} from {data['client']}"
    )
