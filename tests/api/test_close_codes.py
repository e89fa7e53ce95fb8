"""The close codes are written once, with their reasons."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import wintun_api.api
from wintun_api.api.frames import MAX_REASON
from wintun_api.api.kinds import Kind
from wintun_api.choices import SENT_CODES, CloseCode


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
    for path in Path(wintun_api.api.__path__[0]).rglob("*.py"):
        if path.name == "choices.py":
            continue
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and re.search(
                r"close|shut|end|fail", ast.unparse(node.func)
            ):
                numbers = [part.value for part in node.args if isinstance(part, ast.Constant)]
                assert not set(CloseCode) & {n for n in numbers if isinstance(n, int)}, path
            if isinstance(node, ast.Constant) and isinstance(node.value, int):
                assert node.value not in set(CloseCode) - {1000}, (path, node.lineno)
