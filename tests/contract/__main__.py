"""Write the documents of the contract: `python -m tests.contract openapi`.

At a release, `--release` also copies the documents that clients are built from into the folder
baseline. Later documents are compared with these.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.contract.documents import BASELINE, DOCUMENTS, text_of


def main() -> int:
    """Write every document into a folder, or compare them with --check; return 1 if one differs."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.contract",
        description="Write the contract's documents, generated from the code.",
    )
    parser.add_argument("folder", type=Path, help="the folder of the documents, such as openapi")
    parser.add_argument("--check", action="store_true", help="only say what differs; write nothing")
    parser.add_argument(
        "--release", action="store_true", help="also make them the baseline of later versions"
    )
    options = parser.parse_args()
    stale = 0
    documents = {options.folder / name: text_of(make()) for name, make in DOCUMENTS.items()}
    if options.release:
        documents |= {
            options.folder / "baseline" / name: text_of(DOCUMENTS[name]()) for name in BASELINE
        }
    for path, text in documents.items():
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        if options.check:
            sys.stdout.write(f"{path} differs from the code.\n")
            stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
            sys.stdout.write(f"{path} written.\n")
    return stale


if __name__ == "__main__":
    sys.exit(main())
