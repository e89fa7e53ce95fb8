"""Every command of README and the guide runs, or has the form that the program takes."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.cli.commands import Program, invoke
from tests.guide import shell
from tests.guide.blocks import PICTURES, ROOT, TESTS, Block, all_blocks, blocks, marked, pages
from tests.guide.blocks import source as source_of
from tests.libpcap import need_libpcap
from tests.needs import need
from tests.running import TOKEN, RunningService, running

GUID = "deadbabe-cafe-beef-0123-456789abcdef"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the lines are for a POSIX shell")
CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
# A capture is worth a line only where packets pass.
TRAFFIC = {
    "captures": 200.0,
    "named-captures": 200.0,
    "recorder": 200.0,
    "replay": 200.0,
    "wireshark": 200.0,
}


def walked() -> list[str]:
    """The pages with lines for a shell."""
    return [page for page in pages() if marked(page, "shell")]


@pytest.mark.parametrize("block", all_blocks(), ids=lambda one: f"{one.page}-{one.mark[:20]}")
def test_every_block_has_a_mark(block: Block) -> None:
    """A block is run by a test that is there, or says why its form alone is checked."""
    if block.language in PICTURES:
        assert not block.kind
        return
    assert block.kind, block.text
    if block.kind == "test":
        assert block.mark in (ROOT / TESTS[block.mark]).read_text("utf-8")
    else:
        assert len(block.mark) >= len("Windows")


@pytest.mark.thorough(but_first=True)
@POSIX
@CURL
@pytest.mark.parametrize("page", walked())
def test_the_lines_for_a_shell(tmp_path: Path, page: str) -> None:
    """The lines of a page work one after the other, as a reader pastes them."""
    start = marked("quick-start", "shell")
    if page in ("captures", "named-captures", "wireshark"):
        need_libpcap()
    if page == "wireshark":
        need("tshark")
    with running(tmp_path, traffic=TRAFFIC.get(page, 0.0)) as service:
        if page == "quick-start":
            lines, variables = start, {}
        else:
            adapter = service.adapter(
                name="OfficeNet",
                pool="WireGuard",
                requested_guid=GUID,
                addresses=["10.6.7.7/24", "fd06:7::7/64"],
            )
            lines = marked(page, "shell")
            variables = {
                "API": service.url,
                "TOKEN": TOKEN,
                "AUTH": f"Authorization: Bearer {TOKEN}",
                "JSON": "Content-Type: application/json",
                "GUID": GUID,
                "SESSION": service.session(adapter)["id"],
            }
        # What the quick start exports, every other page has.
        assert set(variables) - {"SESSION"} <= set(re.findall(r"export (\w+)=", start[0]))
        done = shell.run(service, tmp_path, "".join(lines), HOME=str(tmp_path), **variables)
        assert done.returncode == 0, done.stderr
        if page == "quick-start":
            assert done.stdout.count('"accepted":1') == 1
            assert '"received":{"packets":1,' in done.stdout  # the host answered
            assert '"name":"HomeNet"' in done.stdout
            assert service.http.get("/v1/adapters").json() == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    "block", [one for one in all_blocks() if one.mark == "serve"], ids=lambda one: one.page
)
def test_the_service_starts(tmp_path: Path, block: Block) -> None:
    """The line that starts the service does, and Ctrl-C ends it with 0."""
    words = shlex.split(block.text)
    program = Program(tmp_path, *words[words.index("serve") :], WINTUN_API_PORT="0")
    try:
        program.wait_for_url()
        assert program.end(signal.SIGINT)[0] == 0
    finally:
        program.close()


@pytest.mark.parametrize(
    "block", [one for one in all_blocks() if one.mark == "doctor"], ids=lambda one: one.page
)
def test_doctor_looks(block: Block) -> None:
    """Doctor says what it found, whether the driver can work here or not."""
    done = invoke(*shlex.split(block.text)[1:], "--json")
    assert done.exit_code in (0, 1)
    assert json.loads(done.stdout)["checks"]


@pytest.mark.thorough
@POSIX
def test_the_exit_codes(service: RunningService, tmp_path: Path) -> None:
    """The lines of the page "exit-codes" end with the codes that its table has."""
    pytest.importorskip("wintun_api.cli.exit_codes")
    (lines,) = marked("exit-codes", "exit-codes")
    for line in lines.splitlines():
        done = shell.run(service, tmp_path, f"set +e\n{line}")
        assert done.returncode == 0, (line, done.stderr)


def commands() -> Iterator[tuple[str, str]]:
    """Every command line of the program on a page, in blocks and in sentences."""
    for page in pages():
        text = re.sub(r"(?:\.venv[/\\]\w+[/\\])python -m wintun_api", "wintun-api", source_of(page))
        for line in re.findall(r"(?:^|[`\s/(])wintun-api ([^`\n|)]+)", text):
            yield page, line.partition(">")[0].strip()


def test_commands_are_found() -> None:
    """The search finds the commands of many pages."""
    found = {page for page, line in commands() if line.startswith(("serve", "adapters", "capture"))}
    assert len(found) >= 8


@pytest.mark.parametrize("page", pages())
def test_every_command_exists(page: str) -> None:
    """Commands that a page names are commands, and their options are options."""
    for of, line in commands():
        if of == page and not line.endswith("; test $? -eq 2"):  # it shows what a wrong one does
            assert exists(line), line


def test_every_command_of_the_dashboard_exists() -> None:
    """The dashboard names the same commands, in elements of their own."""
    sources = (ROOT / "web" / "src").rglob("*.tsx")
    texts = (source.read_text("utf-8") for source in sources)
    found = [line for text in texts for line in re.findall(r"<code>wintun-api ([^<]+)<", text)]
    assert len(found) >= 3
    assert [line for line in found if not exists(line)] == []


def exists(line: str) -> bool:
    """Say whether the program has the command of a line, and the command its options."""
    words = re.findall(r"^(?:[a-zA-Z]+ ?)+", line)
    names = words[0].split() if words else []
    if not names or not is_command(names[0]):
        return True
    for count in (2, 1):  # a second word may be an argument
        code, shown = help_of(*names[:count])
        if code == 0:
            options = re.findall(r"(?<!\w)--[a-z][a-z-]+", line)
            return all(option in shown for option in options)
    return False


@cache
def help_of(*names: str) -> tuple[int, str]:
    """Return the exit code and the text of a command's help."""
    shown = invoke(*names, "--help")
    return shown.exit_code, shown.stdout


def is_command(word: str) -> bool:
    """Whether a word behind the program's name is meant as a command, not as prose."""
    return word not in PROSE


# Words that follow the name of the program in sentences, and behind that of a container.
PROSE = frozenset({"is", "has", "never", "over", "and", "does", "cat"})


@pytest.mark.parametrize(
    "block", [one for one in all_blocks() if one.kind == "form"], ids=lambda one: one.mark[:30]
)
def test_the_form_of_what_is_not_run(block: Block) -> None:
    """Modules, files and scripts that such lines name are there."""
    for module in re.findall(r"python -m ([\w.]+)", block.text):
        if module.partition(".")[0] in ("wintun_api", "tests"):
            assert importlib.util.find_spec(module) is not None, module
    for path in re.findall(r"(?:^|\s)((?:docker|\.github|web|tests)/\S+)", block.text):
        assert (ROOT / path).exists(), path
    scripts = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))["scripts"]
    for script in re.findall(r"npm run (\w+)", block.text):
        assert script in scripts
    if block.language == "yaml":
        assert all(re.match(r"(?:  )*(?:- )?[\w-]+:", line) for line in block.text.splitlines())
    if block.language == "python":
        compile(block.text, block.page, "exec")


def test_windows_lines_are_the_posix_lines() -> None:
    """README's two commands say the same for both systems."""
    lines = [line for one in blocks("README of the repository") for line in one.text.splitlines()]
    for what in ("wintun_api demo", "-m pytest"):
        posix, windows = (line for line in lines if what in line)
        plain = windows.replace("\\", "/").replace("py -m venv", "python3 -m venv")
        assert plain.replace("/Scripts/", "/bin/") == posix.replace("'", "")
