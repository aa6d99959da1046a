"""Fuzzes every reader: ``python -m tests.fuzz [--seconds N] [READER ...]``.

Led by coverage if atheris is installed, else by chance.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

from tests.fuzz.choices import Choices


def main() -> int:
    """Fuzz each reader in a process of its own for its share of the time; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=600, help="for all readers together")
    parser.add_argument("--corpus", type=Path, help="folder that keeps what was learnt")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("readers", nargs="*")
    told = parser.parse_args()
    if told.only:
        _fuzz(told.only, told.seconds, told.corpus)
    names = told.readers or _names()
    corpus = told.corpus or Path(tempfile.mkdtemp(prefix="wandb-repro-fuzz-"))
    failed = [name for name in names if _failed(name, told.seconds // len(names), corpus)]
    print(f"\nfailed: {', '.join(failed) or 'none'}; corpus in {corpus}")
    return 1 if failed else 0


def _names() -> list[str]:
    from tests.fuzz.readers import READERS, SLOW

    return [*READERS, *SLOW]


def _failed(name: str, seconds: int, corpus: Path) -> bool:
    """Fuzz one reader, which ends its process: libFuzzer never returns."""
    print(f"\n== {name}, {seconds} s", flush=True)
    options = ["--only", name, "--seconds", str(seconds), "--corpus", str(corpus)]
    return (
        subprocess.run([sys.executable, "-m", "tests.fuzz", *options], check=False).returncode > 0
    )


def _fuzz(name: str, seconds: int, corpus: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        _fuzz_by_chance(name, seconds)
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["wandb_repro"]):
        from tests.fuzz.readers import READERS, SEEDS, SLOW
    from wandb_repro.errors import ReproError

    reader = {**READERS, **SLOW}[name]

    def once(data: bytes) -> None:
        try:
            reader(data)
        except ReproError:
            return

    logging.disable()
    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate([*SEEDS.get(name, []), _noise(60), _noise(600)]):
        (folder / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=60", "-rss_limit_mb=2048"]
    limits += [f"-artifact_prefix=crash-{name}-", "-len_control=0"]
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", str(folder)], once)
    atheris.Fuzz()


def _fuzz_by_chance(name: str, seconds: int) -> NoReturn:
    """Give a reader noise and spoiled valid input for its time, and end the process."""
    from tests.fuzz.readers import READERS, SEEDS, SLOW
    from tests.fuzz.test_readers import spoiled
    from wandb_repro.errors import ReproError

    reader, seeds = {**READERS, **SLOW}[name], SEEDS.get(name, [])
    logging.disable()
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        noise = os.urandom(random.choice((8, 60, 600)))  # noqa: S311 - no secret
        data = spoiled(random.choice(seeds), Choices(noise)) if seeds and count % 2 else noise  # noqa: S311
        count += 1
        try:
            reader(data)
        except ReproError:
            continue
        except BaseException:
            crash = Path(f"crash-{name}-{hashlib.sha256(data).hexdigest()[:16]}")
            crash.write_bytes(data)
            print(f"{crash}, input {count}", flush=True)
            raise
    print(f"{count} inputs", flush=True)
    sys.exit(0)


def _noise(length: int) -> bytes:
    """Return bytes that choose this and that, the same ones each time."""
    return hashlib.shake_128(b"noise").digest(length)


if __name__ == "__main__":
    sys.exit(main())
