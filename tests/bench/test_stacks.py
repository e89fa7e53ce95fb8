from __future__ import annotations

from collections import Counter

from tests.bench.stacks import folded, shares

# As `perf script -F ip,sym,dso` prints it: a blank line begins a sample, and one ends it.
SCRIPT = """\

\tffffffff81000001 tun_do_read+0x10 ([kernel.kallsyms])
\tffffffff81000002 tun_chr_read_iter+0x10 ([kernel.kallsyms])
\tffffffff81000003 ksys_read+0x10 ([kernel.kallsyms])
\tffffffff81000004 do_syscall_64+0x10 ([kernel.kallsyms])
\t           1aee3 read_burst (/venv/lib/speedups.abi3.so)


\t           1aee4 _PyEval_EvalFrameDefault (/usr/lib/libpython3.11.so.1.0)
\t    7f515d2129c0 [unknown] ([unknown])

"""


def test_stacks_are_folded_outermost_first() -> None:
    """Each sample is one stack; functions keep the library that they are from."""
    first, second = folded(SCRIPT)
    assert [name for name, _ in first] == [
        "read_burst",
        "do_syscall_64",
        "ksys_read",
        "tun_chr_read_iter",
        "tun_do_read",
    ]
    assert first[0][1] == "speedups.abi3.so"
    assert first[-1][1] == "kernel"
    assert second[-1] == ("_PyEval_EvalFrameDefault", "libpython3.11.so.1.0")


def test_shares_name_libraries_calls_and_functions() -> None:
    """A reader sees how much the kernel has, for which calls, and what else takes time."""
    stacks = Counter(folded(SCRIPT))
    assert shares(stacks) == (
        "kernel 50, libpython3.11.so.1.0 50",
        "read tun 50",
        "_PyEval_EvalFrameDefault 50",
    )
