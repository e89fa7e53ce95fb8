"""The close codes are written once, with their reasons."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import wintun_api
from wintun_api.api.kinds import Kind
from wintun_api.choices import SENT_CODES, CloseCode
from wintun_api.frames import MAX_REASON

FLOORS = ("schemas", "hub", "api", "cli")
WEB = Path(__file__).parents[2] / "web" / "src"
CODES = {code.name: int(code) for code in CloseCode}


def test_reasons_fit() -> None:
    """Every code has a reason that a close frame has room for."""
    for code in CloseCode:
        assert 0 < len(code.reason.encode()) <= MAX_REASON


def test_codes_are_numbers() -> None:
    """A member is the number itself, and is found by it."""
    assert CloseCode(4001) is CloseCode.TOKEN
    assert CloseCode.TOKEN + 0 == 4001
    assert {kind.close_code for kind in Kind} <= set(SENT_CODES)
    assert CloseCode.ABNORMAL not in SENT_CODES


def test_no_other_module_has_a_close_code() -> None:
    """Where a socket is closed, the code is a member and not a number."""
    root = Path(wintun_api.__path__[0])
    for path in (path for place in FLOORS for path in (root / place).rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and re.search(
                r"close|shut|end|fail", ast.unparse(node.func)
            ):
                numbers = [part.value for part in node.args if isinstance(part, ast.Constant)]
                assert not set(CloseCode) & {n for n in numbers if isinstance(n, int)}, path
            if isinstance(node, ast.Constant) and isinstance(node.value, int):
                assert node.value not in set(CloseCode) - {1000}, (path, node.lineno)


def test_the_dashboard_has_the_same_codes() -> None:
    """The dashboard writes each code once, under the name that the service has for it."""
    rows = re.findall(
        r"^  ([A-Z_]+): (\d{4}),$", (WEB / "wire" / "close-codes.ts").read_text(), re.M
    )
    assert {name: int(code) for name, code in rows}.items() <= CODES.items()
    assert len(rows) > 1
    numbers = "|".join(str(int(code)) for code in CloseCode if code is not CloseCode.NORMAL)
    for path in sorted(WEB.rglob("*.ts*")):
        if path.name not in ("close-codes.ts", "schema.gen.ts"):
            text = re.sub(r"\bRFC \d+", "", path.read_text("utf-8"))
            assert not re.search(rf"\b({numbers})\b", text), path
