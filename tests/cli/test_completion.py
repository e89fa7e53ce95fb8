"""What shells complete."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands import environment, invoke
from tests.running import TOKEN, RunningService
from wintun_api.choices import Scope
from wintun_api.cli import completion

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """Return what bash would offer for a line whose last word may be unfinished."""
    monkeypatch.setattr(completion, "QUICK", 30.0)  # for machines that are busy with other tests

    def offers(line: str, **env: str) -> list[str]:
        variables = {
            "WINTUN_API_URL": service.url,
            "WINTUN_API_TOKEN": TOKEN,
            "_WINTUN_API_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        }
        result = invoke(**{**variables, **env})
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return result.stdout.split()

    return offers


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_scripts(shell: str) -> None:
    """Every shell gets a script that calls the command."""
    result = invoke("--show-completion", shell)
    assert result.exit_code == 0
    assert "_WINTUN_API_COMPLETE" in result.stdout


def test_bash_reads_its_script() -> None:
    """Bash takes the script and completes the command by it."""
    script = invoke("--show-completion", "bash").stdout
    done = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p wintun-api"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_wintun_api_completion wintun-api" in done.stdout


def test_unknown_shell() -> None:
    """A shell that is not known is wrong usage."""
    assert invoke("--show-completion", "tcsh").exit_code == 2


def test_commands(complete: Complete) -> None:
    """Commands complete; the second name of one does not show."""
    assert complete("wintun-api tok") == ["tokens"]


def test_adapters(complete: Complete, service: RunningService) -> None:
    """Names of adapters complete."""
    for name in ("OfficeNet", "HomeNet"):
        service.adapter(name=name)
    assert complete("wintun-api adapters show Off") == ["OfficeNet"]
    assert complete("wintun-api sessions start Ho") == ["HomeNet"]


def test_sessions(complete: Complete, service: RunningService) -> None:
    """Ids of sessions complete, and the names of adapters that have one."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    service.adapter(name="HomeNet")
    assert complete("wintun-api inject ") == [session, "OfficeNet"]
    assert complete(f"wintun-api sessions end {session[:6]}") == [session]


def test_captures(complete: Complete, service: RunningService) -> None:
    """Ids and names of captures complete, and what a capture can wait for."""
    made = service.http.post("/v1/captures", json={"name": "office"}).json()["id"]
    assert complete("wintun-api captures stop ") == [made, "office"]
    assert complete(f"wintun-api captures download {made[:6]}") == [made]
    assert complete("wintun-api captures start --on l", WINTUN_API_URL="none") == ["loss"]
    offered = complete("wintun-api captures start --on event:driver", WINTUN_API_URL="none")
    assert offered == ["event:driver.log", "event:driver.slow"]


def test_kinds_and_scopes(complete: Complete) -> None:
    """Kinds of events and scopes complete, without the service."""
    assert complete("wintun-api tokens create me", WINTUN_API_URL="none") == ["metrics"]
    offered = complete("wintun-api events --type driver", WINTUN_API_URL="none")
    assert offered == ["driver.log", "driver.slow"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "none", "http://[::1"])
def test_no_service(complete: Complete, url: str) -> None:
    """Where nothing answers, nothing is offered and nothing said."""
    assert complete("wintun-api adapters show ", WINTUN_API_URL=url) == []


def test_wrong_token(complete: Complete) -> None:
    """A token that is refused, or is none, offers nothing and says nothing."""
    for token in ("wrong", "two words"):
        assert complete("wintun-api adapters show ", WINTUN_API_TOKEN=token) == []


def test_a_service_that_does_not_answer(
    complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is silent is not waited for."""
    monkeypatch.setattr(completion, "QUICK", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert complete("wintun-api adapters show ", WINTUN_API_URL=url) == []


NAMES = ("My Office Net", "It's $HOME", "B & C; (D)", "Büro")
# What each shell is told, and prints: a completed word per line, as it would put it into the line.
SHELLS = {
    "bash": """
. ./script
COMP_LINE=$LINE; COMP_POINT=${#COMP_LINE}
eval "COMP_WORDS=($LINE_WORDS)"; COMP_CWORD=3
_wintun_api_completion wintun-api
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { :; }
compadd() { print -rl -- "${(q)found[@]}"; }
_files() { :; }
source ./script
words=(wintun-api adapters show "$LAST"); CURRENT=4
_wintun_api_completion
""",
    "fish": """
source ./script
for word in (complete -C "$LINE")
    string escape -- $word
end
""",
}


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("last", ["", "My", "My\\ Off"])
@pytest.mark.parametrize("shell", SHELLS)
def test_names_are_quoted(service: RunningService, tmp_path: Path, shell: str, last: str) -> None:
    """A real shell quotes names with spaces and special characters, so that each is one word."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    for name in NAMES:
        service.adapter(name=name)
    (tmp_path / "script").write_text(invoke("--show-completion", shell).stdout, "utf-8")
    (tmp_path / "run").write_text(SHELLS[shell], "utf-8")
    line = f"wintun-api adapters show {last}"
    env = environment(
        tmp_path,
        WINTUN_API_URL=service.url,
        WINTUN_API_TOKEN=TOKEN,
        LINE=line,
        LINE_WORDS=f"wintun-api adapters show '{last}'",
        LAST=last,
        LC_ALL="C.UTF-8",
        PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin",
    )
    wanted = [name for name in NAMES if name.startswith(last.replace("\\", ""))]
    deadline = time.monotonic() + 60
    while True:
        options = ["-f"] if shell == "zsh" else []
        done = subprocess.run(
            [shell, *options, "run"],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        words = done.stdout.splitlines()
        if any(words) or time.monotonic() > deadline:  # it gives up where the machine is busy
            break
    assert done.stderr == ""
    # Read back by a shell, each word is one name.
    back = subprocess.run(
        ["bash", "-c", "printf '%s\\n' " + " ".join(words)],
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(back.stdout.splitlines()) == sorted(wanted)


def test_a_fault_says_nothing(complete: Complete, service: RunningService) -> None:
    """Another program at the address, or a misspelt variable, offers nothing and says nothing."""
    assert complete("wintun-api adapters show ", WINTUN_API_URL=f"{service.url}/v1") == []
    assert complete("wintun-api adapters show ", WINTUN_API_PROT="1") == []


def test_tokens_and_pools(complete: Complete, service: RunningService) -> None:
    """Ids of tokens and pools complete."""
    service.adapter(name="OfficeNet", pool="WireGuard")
    service.token(Scope.READ)
    (issued,) = service.http.get("/v1/tokens").json()
    assert complete("wintun-api tokens revoke ") == [issued["id"]]
    assert complete("wintun-api adapters list --pool Wire") == ["WireGuard"]


def test_silence_is_waited_for_less_than_a_second() -> None:
    """However slow the service is, the requests of a completion together end in half a second."""
    assert completion.QUICK <= 0.5
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = {
            "WINTUN_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "WINTUN_API_TOKEN": TOKEN,
            "_WINTUN_API_COMPLETE": "complete_bash",
            "COMP_WORDS": "wintun-api inject ",
            "COMP_CWORD": "2",
        }
        invoke(**env)  # imports what it needs
        started = time.monotonic()
        result = invoke(**env)
        assert time.monotonic() - started < 5
    assert (result.exit_code, result.output.strip()) == (0, "")
