"""`python -m tests.bench`: measure, print tables, write JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from tests.bench import __doc__ as purpose
from tests.bench import stacks
from tests.bench.bench import Bench, pinned
from tests.bench.contenders import Peer, Services
from tests.bench.installation import installation
from tests.bench.machine import description, missing
from tests.bench.programs import Programs
from tests.bench.tables import Verdict, summary
from tests.drivers.linux.kernel import namespace

# In this order: each is a module with `run(bench)`, which returns tables.
PARTS = (
    *("receive", "inject", "client", "latency", "fanout", "recorder", "sessions", "rest", "memory"),
    *("filters", "wintun", "tcp", "fleet", "fleet_scale"),
)
# They use the package in processes of their own, so that another installation cannot stand in.
OF_CHECKOUT = ("wintun", "fleet_scale")


def positive(kind: type[int | float]) -> Callable[[str], float]:
    """Return what reads a number greater than zero."""

    def read(text: str) -> float:
        with suppress(ValueError):
            if (value := kind(text)) > 0:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is no {kind.__name__} greater than 0")

    return read


def peer(text: str) -> Peer:
    """Read an external contender."""
    name, equals, command = text.partition("=")
    if not (name and equals and command):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=COMMAND")
    return Peer(name, command)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="PARTS", help=f"some of {','.join(PARTS)}; everything without it"
    )
    parser.add_argument("--short", action="store_true", help="the smallest form of every part")
    parser.add_argument(
        "--rounds", type=positive(int), help="turns of every contender; 5, in short 1"
    )
    parser.add_argument(
        "--seconds", type=positive(float), help="of a measurement; 2, in short 0.25"
    )
    parser.add_argument(
        "--memory-seconds", type=positive(float), help="of the flood in `memory`; 600, in short 2"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=peer,
        metavar="'NAME=COMMAND'",
        help="another contender, repeatable: COMMAND joins the TUN device {device}, which has the "
        "address {address}, to a WebSocket at / on port {port} of loopback, a frame per packet",
    )
    parser.add_argument(
        "--pin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="give the contender one core, load and client the others; all contenders get the same",
    )
    parser.add_argument(
        "--installed",
        type=Path,
        metavar="PYTHON",
        help="measure the wintun-api that is installed beside this Python, such as a wheel in a "
        "virtual environment, and not the checkout; without the parts "
        f"{' and '.join(OF_CHECKOUT)}",
    )
    parser.add_argument(
        "--offload",
        choices=("off", "on", "auto"),
        default="off",
        help="the service's setting in all parts but tcp, which measures both; the default is off, "
        "as the C relay has none there",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="DIR",
        help="at the end, record where the contenders' time goes while they receive and inject: "
        "folded stacks of perf and, where it is installed, of py-spy are written to files there",
    )
    options = parser.parse_args(given)
    parts = [part for part in PARTS if part not in OF_CHECKOUT or options.installed is None]
    options.parts = options.only.split(",") if options.only else parts
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
        if part not in parts:
            parser.error(f"the part {part!r} measures the checkout, not what is installed")
    return options


def main(given: list[str] | None = None) -> int:
    """Run the parts that were asked for; return the exit code."""
    options = arguments(given)
    lacks = missing([*options.parts, *(["profile"] if options.profile else [])])
    if lacks:
        print("The benchmark cannot run here.", *lacks, sep="\n", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is taken down
    measured = installation(options.installed or Path(sys.executable))
    verdicts: list[Verdict] = []
    result: dict[str, Any] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "tests.bench", *(sys.argv[1:] if given is None else given)],
        "machine": description() | measured.facts | {"offload": options.offload},
        "parts": {},
        "seconds": {},
    }
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        namespace(),
        ExitStack() as stack,
    ):
        services = Services(
            measured,
            Path(directory),
            pinned(contender=True) if options.pin else [],
            options.offload,
        )
        stack.callback(services.stop)
        if options.short:  # to start a service takes longer than to measure it then
            services.keep()
        bench = Bench(
            programs=Programs(Path(directory), pinned(contender=False) if options.pin else []),
            services=services,
            rounds=options.rounds or (1 if options.short else 5),
            seconds=options.seconds or (0.25 if options.short else 2.0),
            warm=0.1 if options.short else 0.3,
            idle=0.15 if options.short else 0.3,
            short=options.short,
            pin=options.pin,
            memory_seconds=options.memory_seconds or (2 if options.short else 600),
            peers=options.peer,
        )
        print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
        for part in options.parts:
            started = monotonic()
            tables = importlib.import_module(f"tests.bench.{part}").run(bench)
            result["parts"][part] = [table.as_json() for table in tables]
            result["seconds"][part] = round(monotonic() - started, 1)
            for table in tables:
                verdicts += table.verdicts
                print("", table.text(), sep="\n", flush=True)
            if options.json:  # after every part, so that an interrupted run is not lost
                result["targets"] = [verdict.as_json() for verdict in verdicts]
                options.json.write_text(json.dumps(result, indent=2) + "\n")
            bench.say(f"{part} took {result['seconds'][part]:.0f} s")
        if options.profile is not None:
            print("", stacks.run(bench, options.profile).text(), sep="\n", flush=True)
    print("", summary(verdicts).text(), sep="\n")
    return exit_code(verdicts, strict=options.strict)


def exit_code(verdicts: list[Verdict], *, strict: bool) -> int:
    """Return 0, or 1 when a target was missed and that is asked for."""
    return int(strict and not all(verdict.is_met for verdict in verdicts))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError) as error:  # of a contender, in a sentence
        sys.exit(f"The benchmark ended: {error}")
