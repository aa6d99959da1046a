"""Fixtures that every test may ask for."""

from __future__ import annotations

import signal

import pytest

from tests.support.golden import Golden
from tests.support.lean import lean
from tests.support.recorded import ask, keras_run, killed_run, numbers
from tests.support.server import wandb_server
from tests.support.training import offline, own_wandb

__all__ = [
    "ask",
    "keras_run",
    "killed_run",
    "lean",
    "numbers",
    "offline",
    "own_wandb",
    "wandb_server",
]


def pytest_configure() -> None:
    """Give Ctrl-C back its meaning, here and in every process that the tests start.

    A shell that is no terminal's starts its background jobs with SIGINT ignored; that is
    inherited, and a test that interrupts a training would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one flag that writes golden files anew."""
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Texts that a report is compared with."""
    return Golden(rewrite=bool(request.config.getoption("--rewrite-golden")))
