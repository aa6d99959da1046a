"""A signal reaches a child and all that it started."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Generator

import pytest

from wandb_repro.process_group import signal_group


@pytest.fixture
def family() -> Generator[subprocess.Popen[bytes]]:
    """A shell and what it started, which holds the pipe open for as long as it is there."""
    process = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo started; wait"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        yield process
        if process.poll() is None:
            signal_group(process, signal.SIGKILL)


def test_what_the_child_started_ends_with_it(family: subprocess.Popen[bytes]) -> None:
    assert family.stdout is not None
    assert family.stdout.readline() == b"started\n"

    signal_group(family, signal.SIGKILL)

    assert family.stdout.read() == b""  # the end: nobody writes to the pipe any more
    assert family.wait(timeout=10) == -signal.SIGKILL


def test_a_child_that_is_gone_is_no_error() -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    process.wait()

    signal_group(process, signal.SIGKILL)
