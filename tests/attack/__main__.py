"""`python -m tests.attack`: attack, print tables and findings, write JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import secrets
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.attack import __doc__ as purpose
from tests.attack.attack import Attack
from tests.attack.raw_http import Closed, Malformed
from tests.attack.raw_websocket import Refused
from tests.attack.target import Died
from tests.bench.tables import Table

# In this order: each is a module with `run(attack)`.
PARTS = ("cells", "smuggle", "frames", "deaths", "slow", "fuzz", "kill")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.attack",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="PART,...", help=f"some of {','.join(PARTS)}; all without it"
    )
    parser.add_argument("--full", action="store_true", help="the full counts and times")
    parser.add_argument("--minutes", type=float, help="of each fuzzer; 10 with --full, else 5 s")
    parser.add_argument("--seed", type=int, help="repeat a run; without it a new one is drawn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep logs and data there")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the service, as its variable without WINTUN_API_; repeatable",
    )
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="FILE",
        help="attack the service that this interpreter has installed; this one's otherwise",
    )
    options = parser.parse_args(given)
    options.parts = options.only.split(",") if options.only else list(PARTS)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    if options.minutes is not None and options.minutes <= 0:
        parser.error("--minutes needs a number greater than 0")
    options.environment = {}
    for text in options.set:
        name, equals, value = text.partition("=")
        if not (name and equals):
            parser.error(f"--set needs NAME=VALUE, not {text!r}")
        options.environment[name.upper()] = value
    return options


def main(given: list[str] | None = None) -> int:
    """Run the parts that were asked for; 0 without a finding, 1 with one, 2 if it cannot run."""
    options = arguments(given)
    if not Path("/proc/self/fd").is_dir():
        print("The attack needs Linux: it watches the service through /proc.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is taken down
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    result: dict[str, Any] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "tests.attack", *(sys.argv[1:] if given is None else given)],
        "seed": seed,
        "full": options.full,
        "parts": {},
        "findings": [],
    }
    with tempfile.TemporaryDirectory(prefix="attack-") as temporary:
        attack = Attack(
            options.keep or Path(temporary),
            seed,
            options.full,
            options.minutes,
            options.environment,
            options.python,
        )
        print(f"seed {seed}, {'full' if options.full else 'short'} form", flush=True)
        for part in options.parts:
            began, known = time.monotonic(), len(attack.findings)
            attack.say(f"{part} begins")
            try:
                importlib.import_module(f"tests.attack.{part}").run(attack)
            except Died as died:
                attack.found(part, "the service died", str(died))
            except (OSError, Closed, Malformed, Refused, RuntimeError) as error:
                # The part could not go on: the service refused what any client may do.
                attack.found(part, f"the part ended early: {type(error).__name__}", str(error))
            attack.figure(part, seconds=round(time.monotonic() - began, 1))
            result["parts"] = attack.figures
            result["findings"] = [_as_json(one) for one in attack.findings]
            if options.json:  # after every part, so that an interrupted run is not lost
                options.json.write_text(json.dumps(result, indent=2) + "\n")
            print("", _table(attack, part).text(), sep="\n", flush=True)
            for finding in attack.findings[known:]:
                print("", finding.text(seed), sep="\n", flush=True)
    kinds = len(attack.findings)
    print("", f"{kinds} kinds of findings, seed {seed}" if kinds else f"no finding, seed {seed}")
    return 1 if attack.findings else 0


def _table(attack: Attack, part: str) -> Table:
    table = Table(part, ["what", "figure"])
    for name, value in attack.figures.get(part, {}).items():
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            cell = ", ".join(f"{k} {v}" for k, v in row.items()) if isinstance(row, dict) else row
            table.add([name, str(cell)], {name: row})
    return table


def _as_json(finding: Any) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in finding.__slots__}


if __name__ == "__main__":
    sys.exit(main())
