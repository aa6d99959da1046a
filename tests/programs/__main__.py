"""``python -m tests.programs [NAME ...]``: tries programs, prints a table; 1 if any is at fault."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.programs.program import Program, all_programs
from tests.programs.table import heading, row, skipped_row
from tests.programs.trial import missing, tried
from wandb_repro.capture.guard import STRICT_VARIABLE


def main() -> int:
    """Try the programs one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--keep", type=Path, help="folder that keeps what each left")
    told = parser.parse_args()
    programs = all_programs()
    unknown = set(told.names) - {program.name for program in programs}
    if unknown:
        parser.error(f"no program {', '.join(sorted(unknown))}")
    # A fault in our own code fails the program.
    os.environ[STRICT_VARIABLE] = "1"
    print(heading(), flush=True)
    chosen = [each for each in programs if not told.names or each.name in told.names]
    at_fault = sum(_is_at_fault(program, told.keep) for program in chosen)
    print(f"{at_fault} of {len(chosen)} at fault")
    return 1 if at_fault else 0


def _is_at_fault(program: Program, keep: Path | None) -> bool:
    """Try one program and print its line."""
    absent = missing(program)
    if absent:
        print(skipped_row(program, absent), flush=True)
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            trial = tried(program, (keep or Path(folder)).absolute() / program.name)
        except AssertionError as error:
            print(f"FAULT {program.name}: {error}", flush=True)
            return True
    print(row(trial), flush=True)
    return bool(trial.faults)


if __name__ == "__main__":
    sys.exit(main())
