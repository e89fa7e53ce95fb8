"""Write the documents of the contract: `python -m wintun_api.api.contract openapi`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wintun_api.api.contract.documents import DOCUMENTS, text_of


def main() -> int:
    """Write every document into a folder, or with --check compare; 1 when one differs."""
    parser = argparse.ArgumentParser(
        prog="python -m wintun_api.api.contract",
        description="Write the contract's documents, generated from the code.",
    )
    parser.add_argument("folder", type=Path, help="where the documents are, such as openapi")
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs")
    options = parser.parse_args()
    stale = 0
    for name, document in DOCUMENTS.items():
        path: Path = options.folder / name
        text = text_of(document())
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
