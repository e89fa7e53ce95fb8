"""What every part is given: the seed, the counts, a service, and where findings go."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attack.target import Died, Reading, Target
from tests.waiting import within

MIB = 2**20
MEMORY = 20 * MIB  # what may stay behind
DESCRIPTORS = 2  # a listing of /proc may meet one that is just being closed
THREADS = 6  # pools of threads grow to their bound by one at a time, as asyncio's of two cores
LOG = 256 * 1024
SHOWN = 600  # bytes of a reproducer


@dataclass(slots=True)
class Finding:
    """One kind of thing that does not hold.

    Attributes:
        part: Where it was found.
        kind: What it is; findings of the same kind are counted.
        detail: The first one's particulars.
        reproducer: Bytes, a request or a value that shows it again; "" where there is none.
        count: How often.
    """

    part: str
    kind: str
    detail: str
    reproducer: str
    count: int = 1

    def text(self, seed: int) -> str:
        """Return it in lines."""
        times = f" ({self.count} times)" if self.count > 1 else ""
        lines = [f"FINDING in {self.part}: {self.kind}{times}"]
        lines += [f"    {line}" for line in self.detail.strip().splitlines()[-14:]]
        if self.reproducer:
            lines.append(f"    again with: {self.reproducer[:SHOWN]}")
        lines.append(f"    seed {seed}")
        return "\n".join(lines)


@dataclass(slots=True)
class Attack:
    """The counts, the random numbers and the findings of a run.

    Attributes:
        directory: For temporary files.
        seed: Everything random comes from it.
        full: The full counts.
        minutes: Of each fuzzer; None for the form's own.
        environment: Settings of every service, as variables without their prefix.
        python: The interpreter that has the service installed.
        findings: All of them, in the order of their discovery.
        figures: What was done, by part, for the table and the JSON file.
    """

    directory: Path
    seed: int
    full: bool
    minutes: float | None = None
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """Report progress."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {line}", file=sys.stderr, flush=True)

    def random(self, *names: object) -> random.Random:
        """Return random numbers of their own for a part, so that parts do not depend on others."""
        return random.Random(f"{self.seed} {names}")

    def count(self, short: int, full: int) -> int:
        """Return how many, in this form."""
        return full if self.full else short

    @property
    def fuzz_seconds(self) -> float:
        """Return for how long each fuzzer runs."""
        if self.minutes is not None:
            return self.minutes * 60
        return 600.0 if self.full else 5.0

    def found(self, part: str, kind: str, detail: str = "", reproducer: str | bytes = "") -> None:
        """Write a finding down."""
        if isinstance(reproducer, bytes):
            reproducer = reproducer[:4096].hex()
        for known in self.findings:
            if (known.part, known.kind) == (part, kind):
                known.count += 1
                return
        self.findings.append(Finding(part, kind, detail, reproducer))
        self.say(f"FINDING in {part}: {kind}")

    def figure(self, part: str, **figures: Any) -> None:
        """Write down what was done."""
        self.figures.setdefault(part, {}).update(figures)

    @contextmanager
    def target(self, part: str, name: str = "", **options: Any) -> Iterator[Target]:
        """Start a service for a part, with a directory of this name; stop it at the end."""
        directory = self.directory / (name or part)
        target = Target(directory, python=self.python, **{**self.environment, **options})
        try:
            target.start()
            yield target
        except Died as died:
            self.found(part, "the service died", str(died))
        finally:
            target.stop()

    @contextmanager
    def watch(
        self,
        part: str,
        target: Target,
        what: str,
        *,
        warm_up: Callable[[], object] | None = None,
        log: int = LOG,
        patience: float = 20.0,
    ) -> Iterator[Reading]:
        """Check around an attack that nothing is left of it.

        Args:
            part: The part.
            target: The service.
            what: The attack, for findings.
            warm_up: The same on a small scale, done before the first look.
            log: By how many bytes the log may grow.
            patience: Seconds in which connections must be closed and memory given back.
        """
        if warm_up is not None:
            warm_up()
            self._settled(target, patience)
        self._log_trouble(part, target, f"warm-up of {what}")
        before = target.reading()
        yield before
        self.settle(part, target, what, before, log=log, patience=patience)

    def settle(
        self,
        part: str,
        target: Target,
        what: str,
        before: Reading,
        *,
        log: int = LOG,
        patience: float = 20.0,
    ) -> None:
        """Compare with an earlier reading, once the service had time to tidy up."""
        if not target.alive:
            raise Died(target.tail())

        def as_before() -> bool:
            now = target.reading()
            return (
                now.descriptors <= before.descriptors + DESCRIPTORS
                and now.threads <= before.threads + THREADS
                and now.memory <= before.memory + MEMORY
            )

        if not within(patience, target.healthy, 0.05):
            self.found(part, f"no health after {what}", target.tail())
        within(patience, as_before, 0.05)
        after = target.reading()
        if after.descriptors > before.descriptors + DESCRIPTORS:
            self.found(
                part,
                f"descriptors stay open after {what}",
                f"{before.descriptors} before, {after.descriptors} after {patience:.0f} s",
            )
        if after.threads > before.threads + THREADS:
            self.found(
                part,
                f"threads stay after {what}",
                f"{before.threads} before, {after.threads} after",
            )
        if after.memory > before.memory + MEMORY:
            self.found(
                part,
                f"memory stays after {what}",
                f"{before.memory / MIB:.0f} MiB before, {after.memory / MIB:.0f} MiB after",
            )
        if after.log - before.log > log:
            self.found(
                part,
                f"the log grows without bound in {what}",
                f"{after.log - before.log} bytes; {log} are the bound\n{target.tail(600)}",
            )
        self._log_trouble(part, target, what)
        row = self.figures.setdefault(part, {}).setdefault("left", [])
        row.append(
            {
                "after": what,
                "memory_mib": round((after.memory - before.memory) / MIB, 1),
                "descriptors": after.descriptors - before.descriptors,
                "threads": after.threads - before.threads,
                "log_bytes": after.log - before.log,
            }
        )

    def check_peak(self, part: str, target: Target, what: str, before: Reading, bound: int) -> None:
        """Check that the service never held much more than before, since `forget_peak`."""
        grown = target.peak - before.memory
        self.figure(part, **{f"peak_mib {what}": round(grown / MIB, 1)})
        if grown > bound:
            self.found(
                part,
                f"memory grows without bound in {what}",
                f"{grown / MIB:.0f} MiB more at its peak; {bound / MIB:.0f} MiB are the bound",
            )

    def _settled(self, target: Target, patience: float) -> None:
        """Wait until two looks in a row see the same descriptors."""
        last = -1

        def steady() -> bool:
            nonlocal last
            previous, last = last, target.reading().descriptors
            return previous == last

        within(patience, steady, 0.05)

    def _log_trouble(self, part: str, target: Target, what: str) -> None:
        for kind, text in target.trouble().items():
            self.found(part, f"the log has trouble: {kind}", f"during {what}:\n{text}")
