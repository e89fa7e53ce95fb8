"""Where the time of a contender goes: stacks of perf and py-spy, folded, a line each.

A folded stack is `outermost;...;innermost COUNT`, which flamegraph.pl and speedscope read. perf
sees the kernel and the C functions, py-spy the Python functions with what they call in C.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.contenders import Contender
from tests.bench.loads import LOADS
from tests.bench.tables import Table
from tests.waiting import let_pass
from wintun_api.wire import BATCH, RAW

SIZES = (92, 1420)
FREQUENCY = 997  # a second; not a divisor of what else happens regularly
SHOWN = 5
FRAME = re.compile(r"\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)? \((.*)\)$")
KERNEL = "kernel"
ENTRY = ("do_syscall_64", "invoke_syscall")  # on x86 and ARM; the next frame is the call
PREFIX = re.compile(r"^(?:_*(?:x64|arm64|ksys|se|do|sys)_)+")
DEVICE = ("tun_chr_read_iter", "tun_chr_write_iter")

Stack = tuple[tuple[str, str], ...]  # function and where it is from, the outermost first


def run(bench: Bench, directory: Path) -> Table:
    """Record every form of the service and the C relay; return the shares of each."""
    directory.mkdir(parents=True, exist_ok=True)
    table = Table(
        "profile: where the time goes, % of the contender's CPU time",
        ["load", "bytes", "framing", "contender", "in", "system calls", "functions elsewhere"],
        [
            "in: where the innermost function is from. system calls: with all that they do in the",
            f"kernel; those of the device are named tun. The stacks are in {directory}.",
        ],
    )
    with bench.field() as field:
        contenders = [*field.add_services(), *map(field.add_c_relay, (BATCH, RAW))]
        contenders.sort(key=lambda one: one.framing)
        for load in ("receive", "inject"):
            for size in SIZES[:: 2 if bench.short else 1]:
                for one in contenders:
                    name = f"{load}-{size}-{one.framing}-{one.name.replace(' ', '-')}"
                    stacks = Counter(folded(_record(bench, load, one, size, directory / name)))
                    _write(directory / f"{name}.perf.folded", stacks)
                    table.add(
                        [load, str(size), one.framing, one.name, *shares(stacks)],
                        {"load": load, "bytes": size, "framing": one.framing, "name": one.name},
                    )
                    bench.say(f"profile {name}")
    return table


def _record(bench: Bench, load: str, one: Contender, size: int, target: Path) -> str:
    """Return what perf saw, as text."""
    spy = shutil.which("py-spy") if one.is_service else None
    with LOADS[load](bench, one, size):
        let_pass(bench.warm)
        data = target.with_name(f"{target.name}.perf.data")
        _perf(
            "record", "-q", "-g", "-e", "cpu-clock", "-F", str(FREQUENCY), "-p", str(one.pid),
            "-o", str(data), "--", "sleep", str(bench.seconds),
        )  # fmt: skip
        if spy is not None:
            subprocess.run(
                [spy, "record", "--native", "-r", "500", "-d", str(max(1, round(bench.seconds))),
                 "-f", "raw", "-o", f"{target}.python.folded", "-p", str(one.pid)],
                check=False, capture_output=True, timeout=120,
            )  # fmt: skip
    text = _perf("script", "-i", str(data), "-F", "ip,sym,dso")
    data.unlink()
    return text


def _perf(*arguments: str) -> str:
    done = subprocess.run(
        ["perf", *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        raise RuntimeError(f"perf {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def folded(script: str) -> Iterator[Stack]:
    """Yield the stacks that `perf script` printed, innermost frames first, a blank line behind."""
    frames: list[tuple[str, str]] = []
    for line in [*script.splitlines(), ""]:
        if match := FRAME.match(line):
            library = match[2].strip("[]")
            origin = KERNEL if library.startswith(KERNEL) else Path(library).name
            frames.append((match[1], origin))
        elif frames:
            yield tuple(reversed(frames))
            frames = []


def shares(stacks: Counter[Stack]) -> tuple[str, str, str]:
    """Say in words in which libraries, system calls and other functions the time was spent."""
    origins: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for stack, count in stacks.items():
        function, origin = stack[-1]
        origins[origin] += count
        if origin != KERNEL:
            functions[function] += count
        names = [name for name, _ in stack]
        entries = [number for number, name in enumerate(names) if name in ENTRY]
        if entries and entries[0] + 1 < len(names):
            device = " tun" if any(name in DEVICE for name in names) else ""
            calls[PREFIX.sub("", names[entries[0] + 1]) + device] += count
    whole = stacks.total() or 1
    return _told(origins, whole), _told(calls, whole), _told(functions, whole)


def _told(counts: Counter[str], whole: int) -> str:
    told = counts.most_common(SHOWN)
    return ", ".join(f"{name} {count * 100 / whole:.0f}" for name, count in told)


def _write(file: Path, stacks: Counter[Stack]) -> None:
    lines = [
        f"{';'.join(f'{function} [{origin}]' for function, origin in stack)} {count}\n"
        for stack, count in stacks.most_common()
    ]
    file.write_text("".join(lines))
