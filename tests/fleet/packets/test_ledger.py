"""fleet.ledger: counts outlive the process, and add up wherever it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.disk import fill, mounted
from tests.fleet.networks import ANN, BOB, CEM
from wintun_api.errors import StorageFailed
from wintun_api.files import UntrustedFile
from wintun_api.fleet.packets.accounts import FAR, NEAR, Accounts, Cause, Feedback
from wintun_api.fleet.packets.envelope import BEGINNING, first_number
from wintun_api.fleet.packets.ledger import ROWS, SIZE, WORDS, ArrivedRow, Ledger, SentRow, TakenRow
from wintun_api.fleet.problems import LedgerFull, LedgerInUse

mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system"
)

NOW = 1_800_000_000.5
START = first_number(NOW)


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(path, clock=lambda: NOW)
    try:
        yield ledger
    finally:
        ledger.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with opened(path) as ledger:
        yield ledger


def work(ledger: Ledger) -> None:
    """Count some packets of each fate, and leave some without one."""
    ledger.taken.taken += 20
    ledger.taken.lose(Cause.NO_ROUTE, 2)
    ledger.taken.lose(Cause.RING, 7)
    assert ledger.sent(BOB).number(10) == START
    assert ledger.sent().number(3) == START
    arrived = ledger.arrived(CEM)
    arrived.take(START, 10)
    arrived.take(START + 15, 5)
    arrived.deliver(11)
    arrived.lose(Cause.BAD_SOURCE, 1)
    ledger.arrived(CEM, group=True).take(5 << 32, 1)


def test_counts_come_back(path: Path) -> None:
    """Every count is there after the file was closed, and numbers go on."""
    with opened(path) as ledger:
        work(ledger)
        before = ledger.accounts()
    with opened(path) as ledger:
        after = ledger.accounts()
        assert after.sent == before.sent
        assert after.taken.before[Cause.RING] == 7
        assert [(one.sender, one.group, one.sent) for one in after.arrived] == [
            (one.sender, one.group, one.sent) for one in before.arrived
        ]
        assert ledger.sent(BOB).number(1) == START + 10
        assert ledger.arrived(CEM).take(START + 20, 1).lost == 0


def test_packets_without_a_cause_are_unknown(path: Path) -> None:
    """What waited when the last process ended is lost for a cause that nobody knows."""
    with opened(path) as ledger:
        work(ledger)
        waiting = ledger.accounts()
        assert waiting.taken.waiting == 5
        assert [one.waiting for one in waiting.arrived] == [3, 1]
    with opened(path) as ledger:
        assert ledger.recovered == 9
        found = ledger.accounts()
        assert found.taken.causes[Cause.UNKNOWN] == 5
        assert [one.causes[Cause.UNKNOWN] for one in found.arrived] == [3, 1]
        assert [one.causes[Cause.BUS] for one in found.arrived] == [5, 0]
        assert found.taken.waiting == 0
        assert [one.waiting for one in found.arrived] == [0, 0]
    with opened(path) as ledger:
        assert ledger.recovered == 0


# What the service had while nobody read


def test_packets_that_passed_while_the_agent_was_dead(path: Path) -> None:
    """The numbers of a session tell how many packets came between two agents."""
    with opened(path) as ledger:
        assert ledger.taken.follow("5f0c9d1e2b3a", 1000) == 0
        ledger.taken.taken += 10
        ledger.taken.lose(Cause.QUEUE, 5)
        ledger.taken.lose(Cause.NO_ROUTE, 10)
    with opened(path) as ledger:
        assert ledger.taken.follow("5f0c9d1e2b3a", 1022) == 7
        ledger.taken.taken += 3
    with opened(path) as ledger:
        assert ledger.taken.follow("5f0c9d1e2b3a", 1025) == 0
        found = ledger.accounts().taken
        assert (found.before[Cause.AWAY], found.causes[Cause.UNKNOWN]) == (7, 3)


def test_another_session(ledger: Ledger) -> None:
    """What another session had before is nobody's loss; nor can numbers go back."""
    ledger.taken.follow("5f0c9d1e2b3a", 0)
    ledger.taken.taken += 10
    assert ledger.taken.follow("other", 500) is None
    ledger.taken.taken += 4
    assert ledger.taken.follow("other", 504) == 0
    assert ledger.taken.follow("other", 3) is None
    assert ledger.taken.follow("other", 5) == 2


def test_a_session_that_began_while_the_agent_ran(ledger: Ledger) -> None:
    """All that it had before it was read was missed, and is counted once."""
    ledger.taken.follow("5f0c9d1e2b3a", 7)
    ledger.taken.taken += 10
    assert ledger.taken.follow("other", 4, first=0) is None
    ledger.taken.taken += 3
    assert ledger.taken.follow("other", 9, first=0) == 2
    assert ledger.accounts().taken.before[Cause.AWAY] == 6


@given(st.lists(st.tuples(st.sampled_from(["came", "missed", "session"]), st.integers(0, 50))))
def test_the_counter_of_the_host_goes_on_between_sessions(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """However often a service dies, what its host has handed over is counted once."""
    with opened(tmp_path_factory.mktemp("ledger") / "ledger") as ledger:
        handed = before = 7
        session = 0
        ledger.taken.follow("0", 0, handed=before)
        for what, count in steps:
            if what == "came":
                ledger.taken.taken += count
            elif what == "session":
                session += 1
                before = handed + count
            handed += count
            if what != "came":
                missed = ledger.taken.follow(str(session), handed - before, handed=before)
                assert missed == count
        taken = ledger.accounts().taken
        assert taken.taken + taken.before[Cause.AWAY] == handed - 7


def test_another_adapter(ledger: Ledger) -> None:
    """What its host has handed to it says nothing of the one before."""
    ledger.taken.follow("5f0c9d1e2b3a", 0, adapter="one", handed=100)
    ledger.taken.taken += 10
    assert ledger.taken.follow("other", 4, adapter="two", handed=500, first=0) == 4
    assert ledger.accounts().taken.before[Cause.AWAY] == 4


def test_an_adapter_that_was_made_anew(ledger: Ledger) -> None:
    """Its host counts from 0 again, so it is not known how many packets were missed."""
    ledger.taken.follow("5f0c9d1e2b3a", 0, handed=100)
    ledger.taken.taken += 10
    assert ledger.taken.follow("other", 4, handed=0, first=0) is None
    assert ledger.accounts().taken.before[Cause.AWAY] == 4


# Killed from outside

CHILD = f"""
import sys
from pathlib import Path
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.ledger import Ledger

ledger = Ledger.open(Path(sys.argv[1]))
sent, arrived = ledger.sent({BOB!r}), ledger.arrived({CEM!r})
number = arrived.expected or 5 << 32
print(ledger.taken.taken, arrived.delivered, flush=True)
while True:
    ledger.taken.taken += 5
    ledger.taken.lose(Cause.NO_ROUTE, 2)
    sent.number(3)
    arrived.take(number + 1, 2)
    arrived.deliver(2)
    number += 3
    print(ledger.taken.taken, arrived.delivered, flush=True)
"""


def child(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True
    )


def killed(process: subprocess.Popen[str], lines: int) -> tuple[int, int]:
    """Read so many lines, kill the process, and return the last numbers that it has told."""
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    told += process.stdout.read().splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    whole = [line for line in told if line.endswith("\n")]
    taken, delivered = map(int, whole[-1].split())
    return taken, delivered


@pytest.mark.skipif(sys.platform == "win32", reason="a process is killed with SIGKILL")
def test_kill_9(path: Path) -> None:
    """A process that is killed loses no count that it has made, again and again."""
    taken = delivered = 0
    for lines in (2, 50, 300, 7, 1):
        told_taken, told_delivered = killed(child(path), lines)
        with opened(path) as ledger:
            found = ledger.accounts()
            assert found.taken.waiting == found.arrived[0].waiting == 0
            assert found.taken.taken in range(told_taken, told_taken + 6)
            assert found.arrived[0].delivered in range(told_delivered, told_delivered + 3)
            assert found.taken.taken >= taken
            assert found.arrived[0].delivered >= delivered
            assert ledger.recovered <= 7
            taken, delivered = found.taken.taken, found.arrived[0].delivered


def test_two_agents(path: Path) -> None:
    """A second agent is refused while the first one counts, and not when that was killed."""
    process = child(path)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "0 0\n"
        with pytest.raises(LedgerInUse, match="has joined") as refused:
            Ledger.open(path)
        assert "join keys" in refused.value.hint
    finally:
        killed(process, 1)
    with opened(path) as ledger:
        assert ledger.taken.taken > 0


def test_two_in_one_process(path: Path, ledger: Ledger) -> None:
    """Nor can one process open it twice; closed, it can be opened again."""
    with pytest.raises(LedgerInUse):
        Ledger.open(path)
    ledger.close()
    ledger.close()
    with opened(path):
        pass


# Killed at every store


class Killed(BaseException):
    """The process was killed."""


class Words:
    """The words of a row, in which only so many stores succeed."""

    def __init__(self, words: memoryview[int], budget: Callable[[], bool]) -> None:
        self.words = words
        self.may_store = budget

    def __getitem__(self, at: int) -> int:
        return self.words[at]

    def __setitem__(self, at: int, value: int) -> None:
        if not self.may_store():
            raise Killed
        self.words[at] = value

    def release(self) -> None:
        self.words.release()


@dataclass
class Budget:
    left: int

    def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


@contextmanager
def limited(budget: Budget, *rows: TakenRow | SentRow | ArrivedRow) -> Iterator[None]:
    """Let stores to rows succeed while the budget lasts, and end then."""
    words = [row.words for row in rows]
    for row in rows:
        row.words = Words(row.words, budget)  # type: ignore[assignment]
    with suppress(Killed):
        yield
    for row, own in zip(rows, words, strict=True):
        row.words = own


def feedback(base: int, expected: int, delivered: int, unknown: int = 0) -> Feedback:
    return Feedback(base=base, expected=expected, delivered=delivered, unknown=unknown)


def following(taken: TakenRow, sent: SentRow, arrived: ArrivedRow) -> None:
    taken.follow("one", 5, handed=2)
    taken.follow("one", 7, handed=2)
    taken.follow("other", 4, handed=8)
    taken.follow("other", 4, handed=8)


def taking(taken: TakenRow, sent: SentRow, arrived: ArrivedRow) -> None:
    taken.taken += 9
    taken.lose(Cause.BUS_OUT, 3)
    sent.number(2)
    taken.lose(Cause.BAD_SOURCE, 1)


def arriving(taken: TakenRow, sent: SentRow, arrived: ArrivedRow) -> None:
    arrived.take(arrived.expected + 4, 6)
    arrived.deliver(4)
    arrived.lose(Cause.RING_FULL, 2)
    arrived.take(arrived.expected - 3, 5)
    arrived.deliver(2)


def beginning(taken: TakenRow, sent: SentRow, arrived: ArrivedRow) -> None:
    arrived.take(arrived.expected - BEGINNING, 6)
    arrived.lose(Cause.FAILED, 6)


def learning(taken: TakenRow, sent: SentRow, arrived: ArrivedRow) -> None:
    assert sent.learn(feedback(sent.start, sent.start + 5, 3, 1))
    assert sent.learn(feedback(sent.start, sent.start + 8, 4, 2))


def settling(taken: TakenRow, sent: SentRow, arrived: ArrivedRow) -> None:
    assert sent.learn(feedback(sent.start + 7, sent.start + 9, 1))
    assert sent.learn(feedback(sent.start + 8, sent.start + 9, 1))
    assert sent.learn(feedback(sent.start + 1, sent.start + 9, 8))


SCENES = (following, taking, arriving, beginning, learning, settling)


def assert_sums(found: Accounts) -> None:
    """Assert that nothing has two causes, and that nothing waits in this process."""
    assert found.taken.waiting == 0
    assert set(found.taken.causes) == set(NEAR)
    for arrived in found.arrived:
        assert arrived.waiting == 0
        assert set(arrived.causes) == set(FAR)
    for sent in found.sent:
        assert 0 <= sent.waiting <= sent.sent


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: str(scene.__name__))
def test_killed_at_every_store(
    path: Path, scene: Callable[[TakenRow, SentRow, ArrivedRow], None]
) -> None:
    """Whatever was written last, everything adds up when the file is opened again."""
    for stores in range(200):
        path.unlink(missing_ok=True)
        with opened(path) as ledger:
            rows = ledger.taken, ledger.sent(BOB), ledger.arrived(CEM)
            rows[0].taken += 10
            rows[1].number(10)
            rows[1].learn(feedback(START, START + 4, 2))
            rows[2].take(START, 10)
            rows[2].deliver(7)
            budget = Budget(stores)
            with limited(budget, *rows):
                scene(*rows)
        with opened(path) as ledger:
            assert_sums(ledger.accounts())
            assert ledger.sent(BOB).next >= START + 10
            if scene is following:
                ledger.taken.follow("other", 4, handed=8)
                assert ledger.accounts().taken.before[Cause.AWAY] in (0, 2, 5)
            if scene is arriving:
                assert ledger.arrived(CEM).account().sent >= 10
                assert ledger.arrived(CEM).account().delivered >= 7
            if scene is learning:
                assert ledger.sent(BOB).account().delivered >= 2
            # And it goes on as if nothing had been.
            ledger.arrived(CEM).take(ledger.arrived(CEM).expected, 5)
            assert ledger.arrived(CEM).account().waiting == 5
            assert ledger.sent(BOB).learn(feedback(START, ledger.sent(BOB).next, 10))
            assert ledger.sent(BOB).account().causes[Cause.BUS] == 0
        if budget.left >= 0:
            return
    pytest.fail("the scene has no end")


def test_a_row_that_was_not_completed_is_free(path: Path) -> None:
    """A process that is killed while it begins a row leaves none."""
    for stores in range(5):
        row = SentRow(memoryview(bytearray(8 * WORDS)).cast("Q"))
        with limited(Budget(stores), row):
            row.begin(BOB, START)
        with opened(path):
            pass
        with path.open("r+b") as file:
            file.seek(2 * 8 * WORDS)  # of the first pair
            file.write(row.words.tobytes())
        with opened(path) as ledger:
            assert len(ledger.accounts().sent) == (stores == 4)


# What the receiver tells


@pytest.fixture
def sent(ledger: Ledger) -> SentRow:
    row = ledger.sent(BOB)
    row.number(100)
    return row


def test_learning(sent: SentRow) -> None:
    """What the receiver tells is what the sender's accounts say, and the rest waits."""
    assert (sent.since, sent.confirmed) == (START, False)
    told = Feedback(base=START, expected=START + 60, delivered=40, bus=7, ring_full=3)
    assert sent.learn(told)
    found = sent.account()
    assert (found.sent, found.delivered, found.waiting) == (100, 40, 50)
    assert (found.causes[Cause.BUS], found.causes[Cause.RING_FULL]) == (7, 3)
    assert (sent.since, sent.confirmed) == (None, False)
    assert sent.learn(feedback(START, START + 100, 100))
    assert (sent.since, sent.confirmed) == (None, True)


@pytest.mark.parametrize(
    "told",
    [
        feedback(START - 1, START + 5, 5),
        feedback(START, START + 101, 5),
        feedback(START, START + 49, 5),
        feedback(0, START + 60, 5),
        feedback(0, 0, 0),
        feedback(2**64 - 2, 2**64 - 1, 0),
    ],
    ids=["before", "beyond", "older", "all", "none", "far"],
)
def test_lies_are_of_no_use(sent: SentRow, told: Feedback) -> None:
    """What is told of numbers that were never given, or was told before, changes nothing."""
    assert sent.learn(feedback(START, START + 50, 30))
    before = sent.account()
    assert not sent.learn(told)
    assert sent.account() == before


def test_a_receiver_that_has_lost_its_ledger(sent: SentRow) -> None:
    """What it told before stays, and what lies between is unknown; the sum stays exact."""
    assert sent.learn(Feedback(base=START, expected=START + 50, delivered=30, bus=5))
    assert sent.learn(feedback(START + 60, START + 90, 20))
    found = sent.account()
    assert (found.delivered, found.causes[Cause.BUS], found.causes[Cause.UNKNOWN]) == (50, 5, 25)
    assert found.waiting == 20  # 10 that were told as waiting there, and 10 that were not told
    assert sent.learn(feedback(START + 95, START + 100, 5))
    found = sent.account()
    assert (found.delivered, found.causes[Cause.BUS], found.causes[Cause.UNKNOWN]) == (55, 5, 40)
    assert found.waiting == 0


def test_what_the_bus_did_not_take(sent: SentRow) -> None:
    """Numbers that were not published are given again."""
    assert sent.number(4) == START + 100
    sent.take_back(4)
    assert sent.number(2) == START + 100


# What arrives


def test_late_packets_are_not_counted_twice(ledger: Ledger) -> None:
    """Packets that were counted as lost are late when they come, and nothing else."""
    row = ledger.arrived(CEM)
    row.take(START, 2)
    assert row.take(START + 6, 2).lost == 4
    assert row.take(START + 2, 4).late == 4
    assert row.take(START + 4, 6).late == 4
    row.deliver(6)
    found = row.account()
    assert (found.sent, found.delivered, found.causes[Cause.BUS], found.late) == (10, 6, 4, 8)
    assert found.waiting == 0


def test_tails_show_the_loss_of_the_last(ledger: Ledger) -> None:
    """An empty batch behind the last packets tells that they were lost, once."""
    row = ledger.arrived(CEM)
    row.take(START, 2)
    assert row.take(START + 5, 0, gap=Cause.BUS_IN).lost == 3
    assert row.take(START + 5, 0).lost == 0
    assert row.account().causes[Cause.BUS_IN] == 3


def test_the_first_number_shows_the_loss_of_the_first(ledger: Ledger) -> None:
    """An empty batch with the number of the very first packet lets the first gap be seen."""
    row = ledger.arrived(CEM)
    assert row.take(START, 0).begins
    assert row.take(START + 8, 2).lost == 8
    assert row.account().sent == 10


def test_a_new_beginning(ledger: Ledger) -> None:
    """It is no loss; what the service still had of the old one is not counted to the new one."""
    row = ledger.arrived(CEM)
    row.take(START, 10)
    row.deliver(4)
    assert row.take(START + (7 << 32), 5).begins
    row.deliver(6)  # of the old
    assert row.account().delivered == 0
    row.deliver(3)
    row.lose(Cause.REFUSED, 2)
    found = row.account()
    assert (found.sent, found.delivered, found.causes[Cause.REFUSED]) == (5, 3, 2)
    assert row.feedback().base == START + (7 << 32)


@settings(max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 6), st.sampled_from(["none", "loss", "late"])),
        max_size=30,
    )
)
def test_both_ends_agree(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, str]]
) -> None:
    """After a last tail, the sender knows what became of every packet, as the receiver does."""
    folder = tmp_path_factory.mktemp("ledgers")
    with opened(folder / "a") as here, opened(folder / "b") as there:
        row, far = here.sent(BOB), there.arrived(ANN)
        far.take(row.start, 0)
        for count, delivered, what in steps:
            first = row.number(count)
            if what == "loss":
                continue
            found = far.take(first, count)
            used = count - found.late
            far.deliver(min(delivered, used))
            far.lose(Cause.RING_FULL, used - min(delivered, used))
            if what == "late":
                far.take(first, count)
            assert row.learn(far.feedback())
        far.take(row.next, 0)
        assert row.learn(far.feedback())
        mine, theirs = row.account(), far.account()
        assert mine.waiting == theirs.waiting == 0
        assert (mine.sent, mine.delivered, mine.causes) == (
            theirs.sent,
            theirs.delivered,
            theirs.causes,
        )
        assert row.confirmed


# The file


def test_owner_only(path: Path, ledger: Ledger) -> None:
    """Nobody else can read or write it, or its lock."""
    assert path.stat().st_size == SIZE
    if sys.platform != "win32":
        assert [one.stat().st_mode & 0o777 for one in path.parent.iterdir()] == [0o600, 0o600]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_a_file_that_others_may_write(path: Path) -> None:
    """Counts that another user may have written are refused."""
    with opened(path):
        pass
    path.chmod(0o666)
    with pytest.raises(UntrustedFile):
        Ledger.open(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:8] + b"\2" + data[9:],
        lambda data: b"?" + data[1:],
        lambda data: data[:4],
        lambda data: b"",
    ],
    ids=["shorter", "longer", "version", "other", "cut", "empty"],
)
def test_a_file_of_another_version(path: Path, change: Callable[[bytes], bytes]) -> None:
    """A file that this version cannot read is kept, and another one is begun."""
    with opened(path) as ledger:
        work(ledger)
        assert ledger.set_aside is None
    content = change(path.read_bytes())
    path.write_bytes(content)
    with opened(path) as ledger:
        assert ledger.set_aside is not None
        assert ledger.set_aside.read_bytes() == content
        assert ledger.accounts().taken.taken == 0
        assert not ledger.accounts().sent
    with opened(path) as ledger:
        assert ledger.set_aside is None


@mounts
def test_a_full_disk(small_disk: Path) -> None:
    """Without room there is no ledger, and nothing is left of it."""
    with pytest.raises(StorageFailed, match="cannot be written") as refused:
        Ledger.open(small_disk / "ledger")
    assert "Make room" in refused.value.hint
    assert [one.name for one in small_disk.iterdir()] == ["ledger.lock"]


def test_no_directory(tmp_path: Path) -> None:
    """A directory that is not there is said to be missing."""
    with pytest.raises(StorageFailed, match="No such file"):
        Ledger.open(tmp_path / "nowhere" / "ledger")


@mounts
def test_a_disk_that_fills_later(tmp_path: Path) -> None:
    """All its room is taken at the beginning, so that counting never fails."""
    disk = tmp_path / "disk"
    with mounted(disk, size="1200k"):
        with opened(disk / "ledger") as ledger:
            fill(disk)
            for number in range(ROWS - 2):
                ledger.sent(f"{number:012}").number(1)
        with opened(disk / "ledger") as ledger:
            assert len(ledger.accounts().sent) == ROWS - 2


def test_a_full_ledger(ledger: Ledger) -> None:
    """There is room for a bounded number of hosts, and those that are there are found still."""
    for number in range(ROWS - 2):
        ledger.arrived(f"{number:012}", group=number % 2 == 0)
    with pytest.raises(LedgerFull):
        ledger.sent(BOB)
    assert ledger.arrived(f"{7:012}").host == f"{7:012}"


@settings(max_examples=40)
@given(st.integers(2, 40), st.data())
def test_damage(tmp_path_factory: pytest.TempPathFactory, rows: int, data: st.DataObject) -> None:
    """After a crash of the system, in which some pages were not written, it adds up again."""
    path = tmp_path_factory.mktemp("damage") / "ledger"
    with opened(path) as ledger:
        for number in range(rows):
            row = ledger.sent(f"{number:012}")
            row.number(number)
            row.learn(feedback(START, START + number // 2, number // 3))
            ledger.arrived(f"{number:012}").take(START, number)
            ledger.taken.taken += number
    content = bytearray(path.read_bytes())
    for _ in range(3):
        place = data.draw(st.integers(1, 2 * rows + 1))
        word = data.draw(st.integers(3, WORDS - 1) if place > 1 else st.integers(0, 12))
        at = 8 * (place * WORDS + word)
        value = data.draw(st.sampled_from([0, 5, START + 3]))
        content[at : at + 8] = value.to_bytes(8, sys.byteorder)
    path.write_bytes(content)
    with opened(path) as ledger:
        assert_sums(ledger.accounts())
        for sender, found in ledger.senders():
            assert sender == found.host
            found.feedback()
