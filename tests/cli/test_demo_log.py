from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wandb_repro.cli.demo_log import our_lines

NOISE = b"""\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1764460800.000000 7 port.cc:153] oneDNN custom operations are on.
2026-11-30 00:00:00.000000: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
wandb: Tracking run with wandb version 0.31.0
"""


def test_the_lines_of_a_framework_are_logged_and_not_shown(tmp_path: Path) -> None:
    log, shown = tmp_path / "log.txt", list[str]()

    with our_lines(log, shown.append) as descriptor:
        os.write(descriptor, NOISE + b"wandb_repro: recording\n" + NOISE)
        os.write(descriptor, b"   epoch 1  loss 0.5\n")

    assert shown == ["wandb_repro: recording", "   epoch 1  loss 0.5"]
    assert (
        log.read_bytes() == NOISE + b"wandb_repro: recording\n" + NOISE + b"   epoch 1  loss 0.5\n"
    )


def test_a_line_is_shown_while_the_training_runs_and_only_when_it_is_complete(
    tmp_path: Path,
) -> None:
    shown: list[str] = []

    with our_lines(tmp_path / "log.txt", shown.append) as descriptor:
        os.write(descriptor, b"wandb_repro: first\nwandb_repro: sec")
        deadline = time.monotonic() + 30
        while not shown and time.monotonic() < deadline:
            time.sleep(0.01)
        assert shown == ["wandb_repro: first"]
        os.write(descriptor, b"ond\n")

    assert shown == ["wandb_repro: first", "wandb_repro: second"]


def test_a_second_training_adds_to_the_log_and_shows_nothing_twice(tmp_path: Path) -> None:
    log, shown = tmp_path / "log.txt", list[str]()

    for name in (b"one", b"two"):
        with our_lines(log, shown.append) as descriptor:
            os.write(descriptor, b"wandb_repro: " + name + b"\n")

    assert shown == ["wandb_repro: one", "wandb_repro: two"]
    assert log.read_text().count("\n") == 2


def test_what_was_printed_before_an_error_is_shown_and_the_error_goes_on(tmp_path: Path) -> None:
    shown: list[str] = []

    def fail() -> None:
        with our_lines(tmp_path / "log.txt", shown.append) as descriptor:
            os.write(descriptor, b"wandb_repro: \xff\n")
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    assert shown == ["wandb_repro: \ufffd"]
